// @ts-check
// pay.js: <till-pay> how a sale can be paid. A tender that cannot be had now is
// grey and says why.

import { act, aside, busy, current, digit, hold, local, set, turn, typed } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { more, money, note } from "../money.js";
import { now } from "../state.js";
import { waitsFor } from "./code.js";
import { tender, t } from "../words.js";

/** PANES are ours. */
const PANES = new Set(["pay", "amount"]);

/**
 * charge pays the sale at the counter. What is typed before the till has answered is
 * typed for what comes then: the next sale, or the amount of what is still due.
 * @param {Event} e @param {string} name @param {{given?: any, amount?: any}} [how]
 */
export function charge(e, name, how = {}) {
  const sale = current();
  return busy(e, () => hold(async () => {
    const ok = sale && await act("POST", `/v1/sales/${sale.id}/payments`, { tender: name, ...how });
    if (ok && current()?.id === sale.id) set(PANES.has(local.pane) ? { pane: local.home, digits: "", times: "", coin: "" } : { coin: "" });
    return ok;
  }, () => current()?.id !== sale?.id));
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
  if (sale.state === "draft") return set({ pane: local.home, digits: "", sure: "", coin: "" });
  return busy(e, () => turn(() => act("POST", `/v1/sales/${sale.id}/reopenings`, {}))); // another sale has the basket: this pane ends with the old one
}

/** off reports a tender that is taken while its line is down. @param {any} x */
const off = (x) => !!x.offline?.now;

/** without says why a tender cannot be taken, and what of it is not confirmed yet. @param {any} x @param {any} sum */
function without(x, sum) {
  const o = x.offline;
  if (!o?.now) return { no: x.ready ? "" : [x.reason || t("ui.not_now"), o?.why].filter(Boolean).join(" "), used: "" };
  const no = more(sum, o.per_sale) ? t("offline_per_sale", { amount: money(o.per_sale) }) : o.manager && now().view.session.actor.role === "cashier" ? t("ui.manager_needed") : "";
  return { no, used: o.sales ? t("ui.offline_used", { n: o.sales, most: o.most, amount: money(o.amount), total: money(o.total) }) : "" };
}

/** @param {any} x @param {any} how @param {boolean} online @param {any} sum what is paid with it */
function button(x, how, online, sum) {
  const { no, used } = without(x, sum);
  const known = how.amount ? "" : used; // the pane before this one said it
  return h("button", { class: off(x) ? "tender off" : "tender", "data-key": "tender " + x.tender, disabled: !x.ready || !!no || !online, click: (/** @type {Event} */ e) => charge(e, x.tender, how) },
    h("b", {}, off(x) ? icon("triangle") : null, tender(x.tender)), ...[no, known].filter(Boolean).map((s) => h("small", {}, s)));
}

const OWN = 4; // tokens that have a button each; of more the customer's is chosen first

/** coins returns the tokens that the till takes, in its order. @param {any[]} tenders @returns {string[]} */
const coins = (tenders) => [...new Set(tenders.map((x) => x.token).filter(Boolean))];

/** noted is what the cashier should know of a token before it is taken, if anything. @param {any[]} nets @returns {string} */
const noted = (nets) => nets.find((x) => x.ready && x.notice)?.notice ?? "";

/** coin is a token's button: one network is taken at once, several are asked for. What is to be known of the token is read there then, and here where there is room. @param {string} name @param {any[]} tenders @param {any} how @param {boolean} online @param {boolean} none */
function coin(name, tenders, how, online, none) {
  const nets = tenders.filter((x) => x.token === name);
  const sum = how.amount ?? current()?.due;
  const ready = nets.filter((x) => x.ready && !without(x, sum).no);
  const cut = ready.length > 0 && ready.every(off);
  const held = nets.find((x) => x.ready && off(x));
  const why = cut ? without(ready[0], sum).used : !ready.length && held ? without(held, sum).no : ready.length ? ready.map((x) => x.chain).join(", ") : nets.length > 1 && new Set(nets.map((x) => x.reason)).size > 1 ? t("ui.no_network") : nets[0].reason || t("ui.not_now");
  const list = ready.length > 2 && !cut;
  const note = cut ? "" : noted(ready);
  const known = note && nets.length > 1;
  return h("button", { class: cut ? "tender coin off" : "tender coin", "data-key": "token " + name, disabled: !ready.length || !online || none, click: (/** @type {Event} */ e) => nets.length > 1 ? set({ coin: name }) : charge(e, nets[0].tender, how) },
    h("b", {}, cut ? icon("triangle") : known ? icon("warn") : null, name), why ? h("small", { class: list || (note && !known) ? "nets" : "" }, why) : null, list ? h("small", { class: "few" }, t("ui.networks_n", { n: ready.length })) : null, note ? h("small", { class: known ? "nets" : "" }, note) : null);
}

/** row holds the tokens' buttons, or one for all of more than own. @param {any[]} tenders @param {any} how @param {boolean} online @param {boolean} none @param {number} own */
function row(tenders, how, online, none, own) {
  const names = coins(tenders);
  if (!names.length) return null;
  const nos = tenders.filter((x) => x.token).map((x) => without(x, how.amount ?? current()?.due).no);
  const shut = names.length > 1 && nos.every(Boolean); // one reason is read, four are not
  const why = !shut ? names.join(", ") : new Set(nos).size > 1 ? t("ui.no_network") : nos[0];
  return h("div", { class: "coins" }, ...names.length <= own && !shut ? names.map((n) => coin(n, tenders, how, online, none)) : [
    h("button", { class: "tender coin", "data-key": "token *", disabled: !online || none || shut, click: () => set({ coin: "*" }) }, h("b", {}, t("ui.coins")), h("small", {}, why))]);
}

/** choose lets the customer choose on their own screen, or no more. @param {Event} e @param {any} sale @param {boolean} open */
const choose = (e, sale, open) => busy(e, async () => {
  const { coin } = local;
  if (await act("PUT", `/v1/sales/${sale.id}/choice`, { open }) && current()?.id === sale.id && local.coin === coin) set({ coin: "" });
});

customElements.define("till-pay", class extends TillElement {
  draw() {
    const { view, online } = now();
    const sale = current();
    if (!view?.counter || !sale) return this.replaceChildren();
    const { tenders } = view.counter;
    const refused = view.customer.phase === "refused" && view.customer.sale === sale.id ? view.customer.reason : "";
    const amount = local.pane === "amount";
    const { id, state, due, cash_due, cash_keys } = sale;
    const choosing = view.choice?.sale === id;
    paint(this, [id, state, due, cash_due, cash_keys, tenders, refused, amount, amount && local.digits, local.coin, choosing, online, waitsFor(sale).length, view.session.actor.role, view.shop.language], () => [
      h("div", { class: "due" }, h("span", { class: "label" }, t("to_pay")), h("output", { class: "money huge" }, money(sale.due))),
      tenders.some(off) && (local.coin || (!refused && !amount)) ? h("p", { class: "why" }, icon("triangle"), t("ui.offline_signal")) : null,
      refused && !amount && !local.coin ? h("p", { class: "why" }, icon("warn"), why(refused), refused === "failed" ? " " + (sale.payments?.at(-1)?.why ?? "") : "") : null,
      ...(local.coin ? this.#coins(sale, tenders, online, amount) : amount ? this.#amount(sale, tenders, online) : this.#tenders(sale, tenders, online, choosing)),
    ]);
  }

  /** #coins asks which token, then on which network: the cheapest first, the grey ones with their reasons. @param {any} sale @param {any[]} tenders @param {boolean} online @param {boolean} part */
  #coins(sale, tenders, online, part) {
    const how = part ? { amount: typed() } : {};
    const token = local.coin;
    const nets = tenders.filter((x) => x.token === token);
    const sum = part ? typed() : sale.due;
    const note = noted(nets);
    const list = token === "*" ? coins(tenders).map((n) => coin(n, tenders, how, online, false)) : nets.map((x, i) =>
      h("button", { class: off(x) ? "tender coin off" : "tender coin", "data-key": "tender " + x.tender, disabled: !x.ready || !!without(x, sum).no || !online, click: (/** @type {Event} */ e) => charge(e, x.tender, how) },
        h("b", {}, off(x) ? icon("triangle") : null, x.chain), h("small", {}, without(x, sum).no || without(x, sum).used || (x.notice !== note && x.notice) || (i ? "" : t("ui.cheapest")))));
    return [
      h("p", { class: "lead" }, token === "*" ? t("ui.which_coin") : t("ui.which_network", { token })),
      note ? h("p", { class: "why" }, icon("warn"), note) : null,
      h("div", { class: list.length > 4 ? "tenders many" : "tenders" }, ...list),
      h("div", { class: "exits" },
        h("button", { class: "wide", "data-key": "back", click: () => set({ coin: token !== "*" && coins(tenders).length > (part ? 1 : OWN) ? "*" : "" }) }, icon("back"), t("ui.back")),
        part ? null : h("button", { class: "wide", "data-key": "choose", disabled: !online, click: (/** @type {Event} */ e) => choose(e, sale, true) }, icon("screen"), h("span", {}, t("ui.choose"), h("small", {}, t("ui.choose_why"))))),
    ];
  }

  /** @param {any} sale @param {any[]} tenders @param {boolean} online @param {boolean} choosing */
  #tenders(sale, tenders, online, choosing) {
    const cash = tenders.find((x) => x.tender === "cash") ?? { ready: false, reason: "" };
    const rounded = sale.cash_due.minor !== sale.due.minor;
    const notes = (sale.cash_keys ?? []).slice(1, 5);
    const shut = !cash.ready || !online;
    const charged = sale.state !== "draft";
    return [
      h("div", { class: "cashrow" },
        h("button", { class: "exact", "data-key": "exact", disabled: shut, click: (/** @type {Event} */ e) => charge(e, "cash") },
          h("b", { class: "money" }, money(sale.cash_due)), h("small", {}, t("ui.exact_cash") + (rounded ? " · " + t("ui.rounded") : ""))),
        ...notes.map((/** @type {any} */ n) => h("button", { class: "note money", "data-key": "note" + n.minor, disabled: shut, click: (/** @type {Event} */ e) => charge(e, "cash", { given: n }) }, note(n))),
        shut && cash.reason ? h("small", { class: "reason" }, cash.reason) : null),
      h("div", { class: "tenders" }, ...tenders.filter((x) => x.tender !== "cash" && !x.token).map((x) => button(x, {}, online, sale.due)),
        h("button", { class: "tender plain", "data-key": "other", disabled: !online, click: () => set({ pane: "amount", digits: "" }) }, h("b", {}, t("ui.other_amount")), h("small", {}, t("ui.other_amount_why"))),
        choosing ? h("div", { class: "coins" }, h("p", { class: "why grow" }, h("i", { class: "pulse" }), t("ui.choosing")), h("button", { class: "tender coin", "data-key": "stop", disabled: !online, click: (/** @type {Event} */ e) => choose(e, sale, false) }, h("b", {}, t("ui.choose_stop")))) : row(tenders, {}, online, false, OWN)),
      h("div", { class: "exits" },
        charged && sale.state === "part-paid" ? null : h("button", { class: "wide", "data-key": "back", disabled: charged && !online, click: (/** @type {Event} */ e) => back(e, sale) }, icon("back"), t("ui.back")),
        waitsFor(sale).length ? h("button", { class: "wide", "data-key": "code", click: () => set({ pane: "code" }) }, t("ui.has_code")) : null,
        charged ? h("button", { class: "wide", "data-key": "aside", disabled: !online, click: aside }, t("ui.next_customer"), icon("next")) : null),
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
        ...tenders.filter((x) => !x.token).map((x) => button({ ...x, ready: x.ready && !none, reason: x.ready ? " " : x.reason }, { amount: sum }, online, sum)), row(tenders, { amount: sum }, online, none, 1),
        h("button", { class: "wide", "data-key": "back", click: () => set({ pane: "pay", digits: "" }) }, icon("back"), t("ui.back"))))];
  }
});
