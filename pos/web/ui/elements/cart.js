// @ts-check
// cart.js: <till-cart> the basket, and <till-foot> what it comes to and Pay. They
// never move.

import { act, add, addTyped, busy, current, flush, local, set } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { bare, money, qty } from "../money.js";
import { now } from "../state.js";
import { t } from "../words.js";

/** chosen is the line that − and + speak of: the one touched, else the last. */
export function chosen() {
  const lines = current()?.lines ?? [];
  return lines.find((/** @type {any} */ l) => l.id === local.line) ?? lines.at(-1) ?? null;
}

/** setQty changes a line. @param {any} line @param {number} thousandths */
export function setQty(line, thousandths) {
  const sale = current();
  if (sale?.state === "draft") act("PATCH", `/v1/sales/${sale.id}/lines/${line.id}`, { qty: thousandths });
}

/** more adds what the line is once more. @param {any} line */
function more(line) {
  if (line.sku && line === current().lines.at(-1)) add({ sku: line.sku }, line.name); // fast taps queue up
  else setQty(line, line.qty + 1000);
}

customElements.define("till-cart", class extends TillElement {
  #list = h("ol", { class: "lines" });
  #notices = h("div", { class: "notices", role: "status" });

  connectedCallback() {
    if (!this.firstChild) this.append(this.#notices, this.#list);
    super.connectedCallback();
  }

  /** @param {any} l @param {boolean} open @param {boolean} draft */
  #line(l, open, draft) {
    return h("li", { class: open && draft ? "line chosen" : "line" },
      h("button", { class: "what", "data-key": "line" + l.id, "aria-expanded": String(open && draft), click: () => set({ line: l.id, sure: "" }) },
        h("span", { class: "qty" }, qty(l.qty) + " ×"), h("span", { class: "name" }, l.name, l.qty === 1000 ? null : h("small", {}, t("ui.each", { price: money(l.price) }))), h("span", { class: "sum money" }, bare(l.total))),
      open && draft ? h("div", { class: "steps" },
        h("button", { class: "step trash", "data-key": "trash", "aria-label": t("ui.remove_named", { name: l.name }), click: () => setQty(l, 0) }, icon("trash"), h("span", {}, t("ui.remove"))),
        h("button", { class: "step", "data-key": "minus", "aria-label": t("ui.less"), disabled: l.qty <= 1000, click: () => setQty(l, l.qty - 1000) }, icon("minus")),
        h("b", { class: "count" }, qty(l.qty)),
        h("button", { class: "step", "data-key": "plus", "aria-label": t("ui.one_more"), click: () => more(l) }, icon("plus"))) : null);
  }

  #empty() {
    return h("li", { class: "empty" }, icon("receipt"), h("p", {}, t("ui.basket_empty")));
  }

  draw() {
    const { view, online } = now();
    if (!view?.counter) return;
    const sale = current();
    const lines = sale?.lines ?? [];
    const pick = chosen();
    const draft = sale?.state === "draft" && online;
    const waits = local.queue;
    paint(this.#list, [sale?.id, lines, pick?.id, draft, waits.map((w) => w.key), view.shop.language], () => {
      const out = lines.map((/** @type {any} */ l) => this.#line(l, l === pick, draft));
      out.push(...waits.map((w) => h("li", { class: "line ghost" }, h("span", { class: "what" }, h("span", { class: "qty" }, icon("clock")), h("span", { class: "name" }, w.name)))));
      return out.length ? out : [this.#empty()];
    });
    const mark = `${sale?.id} ${pick?.id} ${lines.length} ${waits.length}`;
    if (this.dataset.mark !== mark) {
      this.dataset.mark = mark;
      const at = this.#list.querySelector(".ghost:last-child, .chosen");
      at?.scrollIntoView({ block: "nearest" });
    }
    const news = view.counter.notices;
    paint(this.#notices, news, () => news.length ? [notice(news[0], news.length)] : []);
  }
});

/** @param {any} n @param {number} count */
function notice(n, count) {
  const good = n.kind === "paid";
  return h("div", { class: good ? "notice good" : "notice" }, icon(good ? "check" : "warn"), h("p", {}, n.text),
    count > 1 ? h("span", { class: "badge" }, "+" + (count - 1)) : null,
    h("button", { class: "ghost", "aria-label": t("ui.dismiss"), click: () => act("DELETE", `/v1/notices/${n.id}`) }, icon("close")));
}

/** nothing is in the basket, nor on its way there. */
const nothing = () => !(current()?.lines ?? []).length && !local.queue.length;

/** pay opens the tenders; an amount that was typed goes into the basket first. */
export async function pay() {
  if (!now().online || local.pane === "pay" || (nothing() && !local.digits)) return;
  if (local.digits) {
    if (!(await addTyped())) return;
  } else {
    await flush();
  }
  if (local.queue.length) return;
  set({ pane: "pay", line: 0 });
}

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
      h("span", { class: "label" }, t(part ? "ui.still_due" : "total"), sale ? h("small", {}, sale.ref + (part ? " · " + t("total") + " " + money(total) : "")) : null),
      h("output", { class: "money big", "aria-live": "polite" }, money(due))]);
    const off = (nothing() && !local.digits) || !online || !!sale?.waiting || local.pane === "pay" || local.pane === "amount" || (!!sale && sale.state !== "draft");
    this.#pay.toggleAttribute("disabled", off);
    paint(this.#pay, [t("ui.pay")], () => [h("span", {}, t("ui.pay")), icon("next")]);
  }
});
