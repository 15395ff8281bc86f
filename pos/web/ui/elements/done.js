// @ts-check
// done.js: <till-done> PAID, or the CHANGE to give back. The next digit, scan or
// tap begins the next sale.

import { printOrder } from "../menu.js";
import { act, busy, calm, covers, local, set, trusted } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { money, zero } from "../money.js";
import { now } from "../state.js";
import { tender, t } from "../words.js";

/** next ends the customer's picture too. */
export async function next() {
  const sale = now().view?.customer?.sale ?? "";
  if (await act("POST", "/v1/next-customer", { sale }) && local.seen !== "left") set({ seen: sale });
}

customElements.define("till-done", class extends TillElement {
  draw() {
    const { view, online } = now();
    const done = view?.counter?.last_done;
    if (!done || view.customer.sale !== done.id) return;
    const last = (done.payments ?? []).filter(covers).at(-1);
    const unproven = (done.payments ?? []).some((/** @type {any} */ p) => p.state === "accepted" && covers(p));
    const onTrust = view.customer.phase === "checking" && (done.payments ?? []).some(trusted);
    const change = !zero(done.change);
    const sum = money(change ? done.change : done.totals.total);
    paint(this, [done.id, done.receipt, done.change, done.totals.total, last?.tender, last?.given, unproven, onTrust, online, view.shop.language], () => [
      h("div", { class: onTrust ? "mid trust" : "mid" },
        h("p", { class: onTrust ? "state" : "state good" }, icon(onTrust ? "clock" : "check"), t(onTrust ? "ui.unverified" : "paid"), h("span", { class: "soft" }, done.receipt)),
        change ? h("p", { class: "label" }, t("ui.give_change")) : h("p", { class: "label" }, last ? tender(last.tender, last.network) : ""),
        h("output", { class: sum.length > 8 ? "money giant long" : "money giant", "aria-live": "assertive" }, sum),
        unproven ? h("p", { class: "quantity" }, icon("clock"), t("ui.paid_offline")) : onTrust ? h("p", { class: "quantity" }, t("ui.unverified_then")) : null,
        change ? h("p", { class: "quantity" }, t("total") + " " + money(done.totals.total) + " · " + t("given") + " " + money(last?.given)) : null),
      h("div", { class: "exits" },
        h("button", { class: "wide", "data-key": "again", disabled: !online, click: (/** @type {Event} */ e) => busy(e, () => Promise.all([act("POST", `/v1/sales/${done.id}/reprints`, {}), calm()])) }, icon("printer"), t("ui.print_again")),
        done.tickets?.length ? h("button", { class: "wide", "data-key": "order", disabled: !online, click: (/** @type {Event} */ e) => busy(e, () => Promise.all([printOrder(done), calm()])) }, icon("receipt"), t("ui.print_order")) : null,
        h("button", { class: "wide go", "data-key": "next", disabled: !online, click: (/** @type {Event} */ e) => busy(e, next) }, t("ui.next_customer"), icon("next"))),
    ]);
  }
});
