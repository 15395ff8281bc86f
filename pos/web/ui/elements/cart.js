// @ts-check
// cart.js: <till-cart> the basket, and <till-foot> what it comes to and Pay. They
// never move.

import { act, add, addTyped, busy, current, flush, hold, local, set } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { owed } from "../menu.js";
import { bare, money, qty } from "../money.js";
import { changed, now } from "../state.js";
import { divided, t } from "../words.js";

/** chosen is the line that − and + speak of: the one touched, else the last. */
export function chosen() {
  const lines = current()?.lines ?? [];
  return lines.find((/** @type {any} */ l) => l.id === local.line) ?? lines.at(-1) ?? null;
}

/** wanted are the pieces that lines are to have, until the till has said that they do. @type {Map<string, number>} */
const wanted = new Map();

/** asked is how many thousandths of a line there will be. @param {any} line @returns {number} */
const asked = (line) => wanted.get(`/v1/sales/${current()?.id}/lines/${line.id}`) ?? line.qty;

/** setQty changes a line; of taps that are faster than the till, the last one counts. @param {any} line @param {number} thousandths */
export async function setQty(line, thousandths) {
  const sale = current();
  if (sale?.state !== "draft") return;
  const path = `/v1/sales/${sale.id}/lines/${line.id}`;
  const under = wanted.has(path);
  wanted.set(path, thousandths);
  if (under) return changed();
  let sent;
  do {
    sent = wanted.get(path);
  } while (await act("PATCH", path, { qty: sent }) && sent !== wanted.get(path));
  wanted.delete(path);
  changed();
}

/** more adds what the line is once more. @param {any} line */
function more(line) {
  if (line.sku && line === current().lines.at(-1)) add({ sku: line.sku }, line.name); // fast taps queue up
  else setQty(line, asked(line) + 1000);
}

/** write changes a text only where it differs. @param {HTMLElement} el @param {string} text */
function write(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

/** Row is one line of the basket. It stays the same element while the line is there: a finger on it must not lose it. */
class Row {
  #qty = h("span", { class: "qty" });
  #name = h("span");
  #each = h("small");
  #sum = h("span", { class: "sum money" });
  #what;

  /** @param {number} id */
  constructor(id) {
    this.#what = h("button", { class: "what", "data-key": "line" + id, click: () => set({ line: id, sure: "" }) }, this.#qty, h("span", { class: "name" }, this.#name, this.#each), this.#sum);
    this.el = h("li", { class: "line" }, this.#what);
  }

  /** @param {any} l @param {boolean} open */
  show(l, open) {
    write(this.#qty, qty(l.qty) + " ×");
    write(this.#name, divided(l.name));
    write(this.#each, l.qty === 1000 ? "" : t("ui.each", { price: money(l.price) }));
    write(this.#sum, bare(l.total));
    this.el.classList.toggle("chosen", open);
    this.#what.setAttribute("aria-expanded", String(open));
  }
}

customElements.define("till-cart", class extends TillElement {
  #list = h("ol", { class: "lines" });
  #notices = h("div", { class: "notices", role: "status" });
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #sale = "";
  #trash = h("button", { class: "step", "data-key": "trash", click: () => setQty(chosen(), 0) }, icon("trash"));
  #minus = h("button", { class: "step", "data-key": "minus", click: () => setQty(chosen(), asked(chosen()) - 1000) }, icon("minus"));
  #plus = h("button", { class: "step", "data-key": "plus", click: () => more(chosen()) }, icon("plus"));
  #count = h("b", { class: "count" });
  #steps = h("div", { class: "steps" }, this.#trash, this.#minus, this.#count, this.#plus);
  #empty = h("li", { class: "empty" }, icon("receipt"));
  #mark = "";

  connectedCallback() {
    if (!this.firstChild) {
      this.append(this.#notices, this.#list);
      this.#trash.append(h("span", {}, t("ui.remove")));
      this.#minus.setAttribute("aria-label", t("ui.less"));
      this.#plus.setAttribute("aria-label", t("ui.one_more"));
      this.#empty.append(h("p", {}, t("ui.basket_empty")));
    }
    super.connectedCallback();
  }

  /** #row returns the line's row, making it once. @param {string} id @param {() => Row} make */
  #row(id, make) {
    const row = this.#rows.get(id) ?? make();
    this.#rows.set(id, row);
    return row;
  }

  draw() {
    const { view, online } = now();
    if (!view?.counter) return;
    const sale = current();
    if (this.#sale !== (sale?.id ?? "")) this.#rows.clear();
    this.#sale = sale?.id ?? "";
    const lines = sale?.lines ?? [];
    const pick = sale?.state === "draft" && online ? chosen() : null;
    const rows = lines.map((/** @type {any} */ l) => {
      const row = this.#row(String(l.id), () => new Row(l.id));
      row.show(l, l === pick);
      if (l === pick && this.#steps.parentElement !== row.el) row.el.append(this.#steps);
      return row.el;
    });
    if (!pick) this.#steps.remove();
    else {
      write(this.#count, qty(asked(pick)));
      this.#minus.toggleAttribute("disabled", asked(pick) <= 1000);
      this.#trash.setAttribute("aria-label", t("ui.remove_named", { name: pick.name }));
    }
    rows.push(...local.queue.map((w) => h("li", { class: "line ghost" }, h("span", { class: "what" }, h("span", { class: "qty" }, icon("clock")), h("span", { class: "name" }, w.name)))));
    this.#place(rows.length ? rows : [this.#empty]);
    this.#reveal(`${this.#sale} ${pick?.id} ${lines.length} ${local.queue.length}`);
    const news = view.counter.notices;
    const debts = view.counter.refunds?.length ?? 0;
    paint(this.#notices, [news, debts], () => [...news.slice(0, 1).map((/** @type {any} */ n) => notice(n, news.length)), ...debts ? [debt(debts)] : []]);
  }

  /** #place puts the rows into the list and moves none that stands right. @param {HTMLElement[]} rows */
  #place(rows) {
    for (const old of [...this.#list.children]) if (!rows.includes(/** @type {HTMLElement} */ (old))) old.remove();
    rows.forEach((el, i) => { if (this.#list.children[i] !== el) this.#list.insertBefore(el, this.#list.children[i] ?? null); });
  }

  /** #reveal scrolls to what has just changed. @param {string} mark */
  #reveal(mark) {
    if (this.#mark === mark) return;
    this.#mark = mark;
    this.#list.querySelector(".ghost:last-child, .chosen")?.scrollIntoView({ block: "nearest" });
  }
});

/** debt stays until a manager has decided. @param {number} n */
const debt = (n) => h("button", { class: "notice", "data-key": "owed", click: owed }, icon("warn"), h("p", {}, n === 1 ? t("ui.owed_one") : t("ui.owed_n", { n })), icon("next"));

/** @param {any} n @param {number} count */
function notice(n, count) {
  const good = n.kind === "paid";
  return h("div", { class: good ? "notice good" : "notice" }, icon(good ? "check" : "warn"), h("p", {}, n.text),
    count > 1 ? h("span", { class: "badge" }, "+" + (count - 1)) : null,
    h("button", { class: "ghost", "aria-label": t("ui.dismiss"), click: () => act("DELETE", `/v1/notices/${n.id}`) }, icon("close")));
}

/** nothing is in the basket, nor on its way there. */
const nothing = () => !(current()?.lines ?? []).length && !local.queue.length;

/** pay opens the tenders; an amount that was typed goes into the basket first. A cashier who has gone elsewhere before that is there stays where he is. */
export const pay = () => hold(async () => {
  const { pane } = local;
  if (!now().online || pane === "pay" || (nothing() && !local.digits)) return false;
  const sale = local.digits ? await addTyped() : await flush() ?? current()?.id;
  if (!sale || local.queue.length || local.digits || local.pane !== pane || (current()?.id ?? sale) !== sale) return false;
  set({ pane: "pay", line: 0, coin: "" });
  return true;
}, undefined, 1);

customElements.define("till-foot", class extends TillElement {
  #total = h("div", { class: "total" });
  #pay = h("button", { class: "pay", click: (/** @type {Event} */ e) => busy(e, pay) });

  connectedCallback() {
    if (!this.firstChild) this.append(this.#total, this.#pay);
    super.connectedCallback();
  }

  draw() {
    const { view, online } = now();
    if (!view?.counter) return;
    const sale = current();
    const part = sale?.state === "part-paid";
    const due = sale ? sale.due : { minor: "0", decimals: view.decimals, currency: view.currency };
    const total = sale ? sale.totals.total : due;
    paint(this.#total, [part, total, due, sale?.ref, view.shop.language], () => [
      h("span", { class: "label" }, t(part ? "ui.still_due" : "total"), sale ? h("small", { "aria-label": t("ui.sale_no", { ref: sale.ref }) }, part ? t("total") + " " + money(total) : sale.ref) : null),
      h("output", { class: "money big", "aria-live": "polite" }, money(due))]);
    const off = (nothing() && !local.digits) || !online || !!sale?.waiting || local.pane === "pay" || local.pane === "amount" || (!!sale && sale.state !== "draft");
    this.#pay.toggleAttribute("disabled", off);
    paint(this.#pay, [t("ui.pay")], () => [h("span", {}, t("ui.pay")), icon("next")]);
  }
});
