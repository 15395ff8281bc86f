// @ts-check
// wait.js: <till-wait> a payment that is under way, or in doubt.

import { act, busy, current, local, set } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { money, quantity } from "../money.js";
import { now, till } from "../state.js";
import { tender, t } from "../words.js";

/** OPEN are the states in which the customer may be paying. */
const OPEN = new Set(["intended", "requested", "seen", "accepted", "unknown"]);

/** payment returns a sale's open payment. @param {any} sale */
export const payment = (sale) => [...(sale?.payments ?? [])].reverse().find((p) => OPEN.has(p.state) && !p.aside) ?? null;

/** serve puts this sale aside for the next customer. */
const serve = () => act("POST", "/v1/sales", {}).then((ok) => { if (ok) set({ pane: local.home }); });

/** others leads to the next customer, and to sales that are open already. @param {boolean} online */
const others = (online) => [
  now().view.counter.open.length > 1 ? h("button", { class: "wide", "data-key": "open", click: () => set({ pane: "open" }) }, t("ui.open_sales"), h("b", { class: "badge" }, String(now().view.counter.open.length - 1))) : null,
  h("button", { class: "wide", "data-key": "next", disabled: !online, click: (/** @type {Event} */ e) => busy(e, serve) }, t("ui.next_customer"), icon("next"))];

/** away says why the customer cannot pay just now although the code is on the screen. @param {any} p */
const away = (p) => now().view.counter.tenders.find((/** @type {any} */ x) => x.tender === p.tender && !x.ready)?.reason ?? "";

customElements.define("till-wait", class extends TillElement {
  #clock = h("output", { class: "clock" });
  #bar = /** @type {HTMLProgressElement} */ (h("progress", { max: "1000", value: "1000" }));
  #ticking = 0;

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#ticking);
  }

  draw() {
    const { view, online } = now();
    const sale = current();
    const p = payment(sale);
    clearInterval(this.#ticking);
    if (!view?.counter || !p) return;
    paint(this, [p.id, p.state, p.amount, p.quantity, p.expires, sale.doubtful, online, view.counter.open.length, view.customer.phase, local.sure, view.session.actor.role, away(p), view.shop.language], () => sale.doubtful ? this.#doubt(sale, p, view, online) : this.#wait(sale, p, online));
    this.#tick(p);
    this.#ticking = window.setInterval(() => this.#tick(p), 500);
  }

  /** #tick shows what is left of the payment's life, by the till's clock. @param {any} p */
  #tick(p) {
    if (!p.expires) return;
    const end = Date.parse(p.expires);
    const left = Math.max(0, Math.ceil((end - till()) / 1000));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    this.#clock.textContent = t("time_left", { time });
    this.#bar.value = Math.round(1000 * (end - till()) / Math.max(1, end - Date.parse(p.at)));
    this.#bar.classList.toggle("late", left < 30);
  }

  /** @param {any} sale @param {any} p @param {boolean} online */
  #wait(sale, p, online) {
    const arriving = p.state === "seen" || p.state === "accepted";
    const { customer } = now().view;
    const checking = customer.phase === "checking" && customer.sale === sale.id; // its time is over, the rail has not said what became of it
    return [
      h("div", { class: "mid" },
        h("p", { class: "state " + (arriving ? "good" : "") }, h("i", { class: "pulse" }), checking ? t("checking") : arriving ? t("arriving") : t("ui.waiting_for", { tender: tender(p.tender) })),
        h("output", { class: "money huge", "aria-live": "polite" }, money(p.amount)),
        h("p", { class: "quantity" }, quantity(p.quantity)),
        p.expires ? h("div", { class: "lasts" }, this.#bar, this.#clock) : null,
        away(p) ? h("p", { class: "why" }, icon("warn"), away(p)) : arriving || checking ? null : h("p", { class: "soft" }, t("ui.customer_scans"))),
      h("div", { class: "exits" },
        h("button", { class: "wide bad", "data-key": "cancel", disabled: !online, click: (/** @type {Event} */ e) => busy(e, () => act("POST", `/v1/sales/${sale.id}/payments/${p.id}/cancellations`, {})) }, icon("close"), t("ui.cancel_payment")),
        ...others(online)),
    ];
  }

  /** @param {any} sale @param {any} p @param {any} view @param {boolean} online */
  #doubt(sale, p, view, online) {
    const may = view.session.actor.role !== "cashier";
    const sure = local.sure === "despite";
    const go = (/** @type {Event} */ e) => (sure ? busy(e, () => act("POST", `/v1/sales/${sale.id}/payments/${p.id}/cancellations`, { despite: true })) : set({ sure: "despite" }));
    return [
      h("div", { class: "mid doubt" },
        h("p", { class: "state bad" }, icon("warn"), t("ui.doubt")),
        h("output", { class: "money huge" }, money(p.amount)),
        h("p", { class: "words" }, t("ui.doubt_why")),
        sure ? h("p", { class: "why" }, icon("warn"), t("ui.despite_why")) : h("p", { class: "soft" }, h("i", { class: "pulse" }), t("ui.still_asking"))),
      h("div", { class: "exits" },
        h("button", { class: sure ? "wide sure" : "wide bad", "data-key": "despite", disabled: !may || !online, click: go }, h("span", {}, sure ? t("ui.despite_sure") : t("ui.despite"), may ? null : h("small", {}, t("ui.manager_needed")))),
        ...others(online)),
    ];
  }
});
