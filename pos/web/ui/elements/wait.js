// @ts-check
// wait.js: <till-wait> a payment that is under way, or in doubt. Without a line the
// customer brings a code, and the pad for it keeps its place whatever happens.

import "./code.js";
import { reference, waitsFor } from "./code.js";
import { once, get, Problem } from "../api.js";
import { act, aside, busy, covers, current, fail, local, set } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { exactly, money, quantity } from "../money.js";
import { now, till } from "../state.js";
import { tender, t, word } from "../words.js";

/** OPEN are the states in which the customer may be paying. */
const OPEN = new Set(["intended", "requested", "seen", "accepted", "unknown"]);

/** payment returns a sale's open payment; one that a code proved is none any more. @param {any} sale */
export const payment = (sale) => [...(sale?.payments ?? [])].reverse().find((p) => OPEN.has(p.state) && !p.aside && !covers(p)) ?? null;

/** others leads to the next customer, and to sales that are open already. @param {boolean} online */
const others = (online) => [
  now().view.counter.open.length > 1 ? h("button", { class: "wide", "data-key": "open", click: () => set({ pane: "open" }) }, t("ui.open_sales"), h("b", { class: "badge" }, String(now().view.counter.open.length - 1))) : null,
  h("button", { class: "wide", "data-key": "next", disabled: !online, click: (/** @type {Event} */ e) => busy(e, aside) }, t("ui.next_customer"), icon("next"))];

/** away says why the customer cannot pay just now although the code is on the screen, or why nobody sees whether he has. @param {any} p */
const away = (p) => (p.offline ? "" : now().view.counter.tenders.find((/** @type {any} */ x) => x.tender === p.tender && (!x.ready || x.offline?.now))?.reason || p.why || "");

/** over says that the request's time is up and the rail has not said what became of it. @param {any} sale @param {any} p */
const over = (sale, p) => { const { customer: c } = now().view; return c.phase === "checking" && c.sale === sale.id && (p.state === "requested" || p.again || (p.offline && Date.parse(p.expires) <= till())); };

/** cancel withdraws a payment. That nobody answered is told by the pane: the payment is in doubt then. @param {Event} e @param {any} sale @param {any} p */
const cancel = (e, sale, p) => busy(e, async () => {
  set({ problem: null, sure: "" });
  try {
    await once("POST", `/v1/sales/${sale.id}/payments/${p.id}/cancellations`, {});
  } catch (err) {
    const known = err instanceof Problem && err.status === 503 ? await get("/v1/sales/" + sale.id).catch(() => null) : null;
    if (!known?.doubtful) fail(err);
  }
});

/** coin is the token and network that p asks for, and how the display shows it; null for other money. @param {any} sale @param {any} p */
function coin(sale, p) {
  const { customer, counter } = now().view;
  const x = counter.tenders.find((/** @type {any} */ y) => y.tender === p.tender && y.token);
  if (!x) return null;
  const forms = p.forms ?? [];
  const shown = customer.sale === sale.id && customer.token ? customer : {};
  const at = Math.max(0, forms.findIndex((/** @type {any} */ f) => f.name === shown.form));
  return { token: x.token, chain: x.chain, tail: shown.tail, came: p.part ? quantity(p.part) : "", due: shown.part ? shown.due : p.amount, sum: shown.quantity ? exactly(shown.quantity) : quantity(p.quantity), form: forms[at], next: forms.length > 1 ? forms[(at + 1) % forms.length] : null };
}

/** ask shows a request without a line once more, or makes another one when its time is up. @param {Event} e @param {any} sale @param {any} p */
const ask = (e, sale, p) => busy(e, () => act("POST", `/v1/sales/${sale.id}/payments`, { tender: p.tender, amount: p.amount }));

/** taking is what a second tap takes as payment: this much, and no more that came since. @param {any} r */
const taking = (r) => "take " + r.exact;

customElements.define("till-wait", class extends TillElement {
  #clock = h("output", { class: "clock" });
  #bar = /** @type {HTMLProgressElement} */ (h("progress", { max: "1000", value: "1000" }));
  #pad = /** @type {any} */ (document.createElement("till-code"));
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
    const late = !p && local.pane === "code" ? waitsFor(sale) : [];
    if (!view?.counter || (!p && !late.length)) return;
    const manager = view.session.actor.role !== "cashier";
    paint(this, [p?.id, p?.state, p?.again, p?.amount, p?.quantity, p?.expires, sale.doubtful, sale.unverified, late.length, online, view.counter.open.length, view.customer.phase, view.customer.other, p && coin(sale, p), p && over(sale, p), local.sure, manager, p && away(p), p?.why, sale.astray, view.shop.language],
      () => !p ? this.#late(sale, late) : p.offline ? this.#offline(sale, p, manager, online) : sale.doubtful ? this.#doubt(sale, p, manager, online) : this.#wait(sale, p, coin(sale, p), online));
    this.#pad.show(sale, manager);
    if (!p) return;
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

  /** #coin is a stablecoin's request: how much of what and where on the left, what the display shows on the right. @param {any} sale @param {any} p @param {any} c @param {Node} state @param {boolean} online @param {boolean} rests */
  #coin(sale, p, c, state, online, rests) {
    const trust = c.chain === "Solana" && c.form && !c.form.typed && !rests;
    const is = c.form && (word("ui.form_is." + c.form.name) ?? t("ui.form_is.next")).replace("{amount}", c.sum);
    return h("div", { class: "mid two coin" }, state,
      away(p) ? h("p", { class: "why" }, icon("warn"), local.sure === "trust" ? t("ui.take_unverified_why") : away(p)) : null,
      c.came ? h("p", { class: "why" }, icon("warn"), t("ui.came", { amount: c.came })) : null,
      h("div", { class: "tell" },
        h("output", { class: "money sum", "aria-live": "polite" }, money(c.due)),
        h("p", { class: "of" }, h("b", { class: "money" }, c.sum), " ", h("b", { class: "money" }, t("on_chain", { chain: c.chain }))),
        c.tail ? h("p", { class: "soft" }, t("address_ends", { tail: c.tail })) : null,
        p.expires ? h("div", { class: "lasts" }, this.#bar, this.#clock) : null),
      h("div", { class: "tell" },
        is && !rests && (!c.came || c.form.typed) ? h("p", { class: "words" }, t("ui.form_is") + " " + is + ".") : null,
        trust ? h("p", { class: "why" }, icon("warn"), t("ui.trust_solana")) : null,
        c.next && !rests ? h("button", { class: "wide", "data-key": "form", disabled: !online, click: (/** @type {Event} */ e) => busy(e, () => act("PUT", `/v1/sales/${sale.id}/form`, { form: c.next.name })) }, word("ui.form." + c.next.name) ?? t("ui.form.next")) : null));
  }

  /** @param {any} sale @param {any} p @param {any} c its stablecoin, if it is one @param {boolean} online */
  #wait(sale, p, c, online) {
    const arriving = (p.state === "seen" && !c?.came) || p.state === "accepted";
    const checking = over(sale, p);
    const state = h("p", { class: "state " + (arriving ? "good" : "") }, h("i", { class: "pulse" }), checking ? t("checking") : arriving ? t("arriving") : t("ui.waiting_for", { tender: tender(p.tender, p.network) }));
    return [
      c ? this.#coin(sale, p, c, state, online, arriving || checking) : h("div", { class: "mid" }, state,
        h("output", { class: "money huge", "aria-live": "polite" }, money(p.amount)),
        h("p", { class: "quantity" }, quantity(p.quantity)),
        p.expires ? h("div", { class: "lasts" }, this.#bar, this.#clock) : null,
        away(p) ? h("p", { class: "why" }, icon("warn"), away(p)) : arriving || checking ? null : h("p", { class: "soft" }, t("ui.customer_scans"))),
      h("div", { class: "exits" },
        this.#trust(sale, p, online),
        h("button", { class: "wide bad", "data-key": "cancel", disabled: !online, click: (/** @type {Event} */ e) => cancel(e, sale, p) }, icon("close"), t("ui.cancel_payment")),
        ...others(online)),
    ];
  }

  /** #trust goes on by the customer's word, where the network does not answer and the owner allows it. @param {any} sale @param {any} p @param {boolean} online */
  #trust(sale, p, online) {
    if (!sale.unverified) return null;
    const { view } = now();
    const needs = view.counter.tenders.find((/** @type {any} */ x) => x.tender === p.tender)?.offline?.manager && view.session.actor.role === "cashier";
    const sure = local.sure === "trust";
    const go = (/** @type {Event} */ e) => (sure ? busy(e, () => act("POST", `/v1/sales/${sale.id}/payments/${p.id}/unverified`, {})) : set({ sure: "trust" }));
    return h("button", { class: sure ? "wide sure" : "wide", "data-key": "trust", disabled: needs || !online, click: go }, h("span", {}, sure ? t("ui.take_unverified_sure") : t("ui.take_unverified"), needs ? h("small", {}, t("ui.manager_needed")) : null));
  }

  /** #offline is a request that the customer's phone carries: what to ask for on the left, the pad for it on the right. @param {any} sale @param {any} p @param {boolean} manager @param {boolean} online */
  #offline(sale, p, manager, online) {
    const { doubtful } = sale;
    const ended = over(sale, p) || (doubtful && Date.parse(p.expires) <= till());
    const words = doubtful ? [t("ui.nobody_can_stop"), t("ui.nobody_can_stop_then")] : ended ? [t("ui.time_is_up")] : [t("ui.needs_signal")];
    const again = h("button", { class: "wide", "data-key": "again", disabled: !online, click: (/** @type {Event} */ e) => ask(e, sale, p) }, t(ended ? "ui.new_code" : "ui.show_again"));
    return [
      h("div", { class: doubtful ? "mid two doubt" : "mid two" },
        h("div", { class: "tell" },
          h("p", { class: doubtful ? "state bad" : "state" }, icon(doubtful || ended ? "warn" : "triangle"), t(doubtful ? "ui.not_stopped" : "ui.without_line")),
          h("output", { class: "money sum", "aria-live": "polite" }, money(p.amount)),
          h("p", { class: "label phone" }, t("ui.on_the_phone"), h("b", { class: "ref" }, reference(p))),
          local.sure === "despite" ? h("p", { class: "why" }, t("ui.despite_why")) : h("p", { class: "words" }, words.join(" ")),
          doubtful || ended ? null : h("div", { class: "lasts" }, this.#bar, this.#clock),
          doubtful || ended ? again : p.other ? this.#forms(sale, online) : null),
        this.#pad),
      h("div", { class: "exits" },
        doubtful ? this.#despite(sale, p, manager, online) : h("button", { class: "wide bad", "data-key": "cancel", disabled: !online, click: (/** @type {Event} */ e) => cancel(e, sale, p) }, icon("close"), t("ui.cancel_payment")),
        ...others(online)),
    ];
  }

  /** #forms chooses what the customer's display shows: the code of a wallet, or one for a phone's camera. @param {any} sale @param {boolean} online */
  #forms(sale, online) {
    const { customer } = now().view;
    const camera = customer.sale === sale.id && !!customer.other;
    const form = (/** @type {boolean} */ on, /** @type {string} */ name, /** @type {string} */ word) => h("button", {
      "data-key": name, "aria-pressed": String(on === camera), disabled: !online, click: (/** @type {Event} */ e) => busy(e, () => act("PUT", `/v1/sales/${sale.id}/request`, { camera: on })) }, word);
    return h("div", { class: "forms" }, h("small", {}, t("ui.camera_why")), form(false, "wallet", t("ui.wallet")), form(true, "camera", t("ui.camera")));
  }

  /** #late takes a code for requests that were set aside: the customer comes back with it after all. @param {any} sale @param {any[]} late */
  #late(sale, late) {
    return [
      h("div", { class: "mid two" },
        h("div", { class: "tell" },
          h("p", { class: "state" }, t("ui.has_code")),
          h("output", { class: "money sum" }, money(sale.due)),
          h("p", { class: "label phone" }, t("ui.on_the_phone"), ...late.slice(-3).map((p) => h("b", { class: "ref" }, reference(p))))),
        this.#pad),
      h("div", { class: "exits" }, h("button", { class: "wide", "data-key": "back", click: () => set({ pane: "pay" }) }, icon("back"), t("ui.back"))),
    ];
  }

  /** #despite lets a manager go on without an answer. @param {any} sale @param {any} p @param {boolean} may @param {boolean} online */
  #despite(sale, p, may, online) {
    const sure = local.sure === "despite";
    const go = (/** @type {Event} */ e) => (sure ? busy(e, async () => { if (await act("POST", `/v1/sales/${sale.id}/payments/${p.id}/cancellations`, { despite: true }) && current()?.id === sale.id && local.pane === "code") set({ pane: "pay" }); }) : set({ sure: "despite" }));
    return h("button", { class: sure ? "wide sure" : "wide bad", "data-key": "despite", disabled: !may || !online, click: go }, h("span", {}, sure ? t("ui.despite_sure") : t("ui.despite"), may ? null : h("small", {}, t("ui.manager_needed"))));
  }

  /** #take makes what came on another network the payment. @param {any} sale @param {boolean} may @param {boolean} online */
  #take(sale, may, online) {
    if (!sale.astray?.sells) return null;
    const { payment: id, exact } = sale.astray;
    const sure = local.sure === taking(sale.astray);
    const go = (/** @type {Event} */ e) => (sure ? busy(e, () => act("POST", `/v1/refunds/${id}/decisions`, { as: "as sale", came: exact })) : set({ sure: taking(sale.astray) }));
    return h("button", { class: sure ? "wide sure" : "wide", "data-key": "take", disabled: !may || !online, click: go }, h("span", {}, t(sure ? "ui.take_as_paid_sure" : "ui.take_as_paid"), may ? null : h("small", {}, t("ui.manager_needed"))));
  }

  /** @param {any} sale @param {any} p @param {boolean} manager @param {boolean} online */
  #doubt(sale, p, manager, online) {
    const stray = sale.astray;
    return [
      h("div", { class: "mid doubt" },
        h("p", { class: "state bad" }, icon("warn"), t(stray ? (stray.kind === "network" ? "ui.other_network" : "ui.other_money") : p.why ? "ui.not_known" : "ui.doubt")),
        h("output", { class: "money huge" }, money(p.amount)),
        p.why ? h("p", { class: "words" }, p.why) : null,
        stray ? null : h("p", { class: "words" }, t("ui.doubt_why")),
        stray && local.sure === taking(stray) ? h("p", { class: "why" }, icon("warn"), t("ui.take_as_paid_why", { on: stray.on })) :
        stray ? h("p", { class: "why" }, icon("warn"), t(local.sure === "despite" ? "ui.despite_astray" : "ui.astray_here")) :
        local.sure === "despite" ? h("p", { class: "why" }, icon("warn"), t("ui.despite_why")) : local.sure === "trust" ? h("p", { class: "why" }, icon("warn"), t("ui.take_unverified_why")) : h("p", { class: "soft" }, h("i", { class: "pulse" }), t("ui.still_asking"))),
      h("div", { class: "exits" }, this.#take(sale, manager, online), this.#trust(sale, p, online), this.#despite(sale, p, manager, online), ...others(online)),
    ];
  }
});
