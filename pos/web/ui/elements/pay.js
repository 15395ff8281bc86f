// @ts-check
// pay.js: <till-pay> how a sale can be paid. A tender that cannot be had now is
// grey and says why.

import { act, busy, current, digit, local, set, typed } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { more, money, note } from "../money.js";
import { now } from "../state.js";
import { waitsFor } from "./code.js";
import { tender, t } from "../words.js";

/** PANES are ours. When the answer comes, the cashier may be typing the next sale already. */
const PANES = new Set(["pay", "amount"]);

/**
 * charge pays the sale at the counter.
 * @param {Event} e @param {string} name @param {{given?: any, amount?: any}} [how]
 */
export function charge(e, name, how = {}) {
  const sale = current();
  return busy(e, async () => {
    if (sale && await act("POST", `/v1/sales/${sale.id}/payments`, { tender: name, ...how }) && PANES.has(local.pane)) set({ pane: local.home, digits: "", times: "" });
  });
}

/** exact takes the cash that is due; for a key. @param {Event} e */
export function exact(e) {
  const b = document.querySelector("till-pay .exact:not([disabled])");
  if (b instanceof HTMLElement) b.click();
  e.preventDefault();
}

/** why says to the cashier what became of the last request. @param {string} reason */
const why = (reason) => t({ expired: "ui.why_expired", cancelled: "ui.why_cancelled" }[reason] ?? "ui.why_failed");

/** back leaves the tenders for the basket; one that is charged already is opened again. @param {Event} e @param {any} sale */
function back(e, sale) {
  if (sale.state === "draft") return set({ pane: local.home, digits: "", sure: "" });
  return busy(e, async () => {
    if (await act("POST", `/v1/sales/${sale.id}/reopenings`, {})) set({ pane: local.home, digits: "", times: "" });
  });
}

/** without says how a tender is taken while its line is down: what to know, and why it cannot be. @param {any} x @param {any} sum */
function without(x, sum) {
  const o = x.offline;
  if (!o?.now) return { no: x.ready ? "" : [x.reason || t("ui.not_now"), o?.why].filter(Boolean).join(" "), know: [] };
  const no = more(sum, o.per_sale) ? t("offline_per_sale", { amount: money(o.per_sale) }) : o.manager && now().view.session.actor.role === "cashier" ? t("ui.manager_needed") : "";
  return { no, know: [t("ui.offline_signal"), o.sales ? t("ui.offline_used", { n: o.sales, most: o.most, amount: money(o.amount), total: money(o.total) }) : ""] };
}

/** @param {any} x @param {any} how @param {boolean} online @param {any} sum what is paid with it */
function button(x, how, online, sum) {
  const { no, know } = without(x, sum);
  return h("button", { class: know.length ? "tender off" : "tender", "data-key": "tender " + x.tender, disabled: !x.ready || !!no || !online, click: (/** @type {Event} */ e) => charge(e, x.tender, how) },
    h("b", {}, know.length ? icon("triangle") : null, tender(x.tender)), ...[no, ...know].filter(Boolean).map((s) => h("small", {}, s)));
}

customElements.define("till-pay", class extends TillElement {
  draw() {
    const { view, online } = now();
    const sale = current();
    if (!view?.counter || !sale) return this.replaceChildren();
    const { tenders } = view.counter;
    const refused = view.customer.phase === "refused" && view.customer.sale === sale.id ? view.customer.reason : "";
    const amount = local.pane === "amount";
    const { id, state, due, cash_due, cash_keys } = sale;
    paint(this, [id, state, due, cash_due, cash_keys, tenders, refused, amount, amount && local.digits, online, waitsFor(sale).length, view.session.actor.role, view.shop.language], () => [
      h("div", { class: "due" }, h("span", { class: "label" }, t("to_pay")), h("output", { class: "money huge" }, money(sale.due))),
      refused ? h("p", { class: "why" }, icon("warn"), why(refused), refused === "failed" ? " " + (sale.payments?.at(-1)?.why ?? "") : "") : null,
      ...(amount ? this.#amount(sale, tenders, online) : this.#tenders(sale, tenders, online)),
    ]);
  }

  /** @param {any} sale @param {any[]} tenders @param {boolean} online */
  #tenders(sale, tenders, online) {
    const cash = tenders.find((x) => x.tender === "cash") ?? { ready: false, reason: "" };
    const rounded = sale.cash_due.minor !== sale.due.minor;
    const notes = (sale.cash_keys ?? []).slice(1, 5);
    const off = !cash.ready || !online;
    const charged = sale.state !== "draft";
    return [
      h("div", { class: "cashrow" },
        h("button", { class: "exact", "data-key": "exact", disabled: off, click: (/** @type {Event} */ e) => charge(e, "cash") },
          h("b", { class: "money" }, money(sale.cash_due)), h("small", {}, t("ui.exact_cash") + (rounded ? " · " + t("ui.rounded") : ""))),
        ...notes.map((/** @type {any} */ n) => h("button", { class: "note money", "data-key": "note" + n.minor, disabled: off, click: (/** @type {Event} */ e) => charge(e, "cash", { given: n }) }, note(n))),
        off && cash.reason ? h("small", { class: "reason" }, cash.reason) : null),
      h("div", { class: "tenders" }, ...tenders.filter((x) => x.tender !== "cash").map((x) => button(x, {}, online, sale.due)),
        h("button", { class: "tender plain", "data-key": "other", disabled: !online, click: () => set({ pane: "amount", digits: "" }) }, h("b", {}, t("ui.other_amount")), h("small", {}, t("ui.other_amount_why")))),
      h("div", { class: "exits" },
        charged && sale.state === "part-paid" ? null : h("button", { class: "wide", "data-key": "back", disabled: charged && !online, click: (/** @type {Event} */ e) => back(e, sale) }, icon("back"), t("ui.back")),
        waitsFor(sale).length ? h("button", { class: "wide", "data-key": "code", click: () => set({ pane: "code" }) }, t("ui.has_code")) : null,
        charged ? h("button", { class: "wide", "data-key": "aside", disabled: !online, click: () => act("POST", "/v1/sales", {}) }, t("ui.next_customer"), icon("next")) : null),
    ];
  }

  /** @param {any} sale @param {any[]} tenders @param {boolean} online */
  #amount(sale, tenders, online) {
    const sum = typed();
    const none = !local.digits;
    const key = (/** @type {string} */ d) => h("button", { class: "key digit", "data-key": "digit" + d, click: () => digit(d) }, d);
    return [h("div", { class: "other" },
      h("div", { class: "pad" }, h("output", { class: none ? "typed money faint" : "typed money" }, money(sum)),
        ...["7", "8", "9", "4", "5", "6", "1", "2", "3", "00", "0"].map(key), h("button", { class: "key side", "data-key": "erase", "aria-label": t("ui.erase"), click: () => set({ digits: local.digits.slice(0, -1) }) }, icon("erase"))),
      h("div", { class: "choices" },
        h("button", { class: "tender", "data-key": "given", disabled: none || !online, click: (/** @type {Event} */ e) => charge(e, "cash", { given: sum }) }, h("b", {}, t("ui.cash_given")), h("small", {}, t("ui.cash_given_why"))),
        h("p", { class: "soft" }, t("ui.only_part")),
        ...tenders.map((x) => button({ ...x, ready: x.ready && !none, reason: x.ready ? " " : x.reason }, { amount: sum }, online, sum)),
        h("button", { class: "wide", "data-key": "back", click: () => set({ pane: "pay", digits: "" }) }, icon("back"), t("ui.back"))))];
  }
});
