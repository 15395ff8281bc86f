// @ts-check
// keypad.js: <till-keypad> amounts, pieces, and what the counter needs beside them.

import { act, addTyped, aside, current, digit, local, set, sure, times, turn, typed } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { money } from "../money.js";
import { now } from "../state.js";
import { t } from "../words.js";
import { noSale, menu } from "../menu.js";

/** @param {string} d */
const key = (d) => h("button", { class: "key digit", click: () => digit(d) }, d);

/** clear asks once more: a basket that is gone is gone. */
function clear() {
  const sale = current();
  if (!sale) return;
  if (sure("clear")) turn(() => act("DELETE", `/v1/sales/${sale.id}`));
}

customElements.define("till-keypad", class extends TillElement {
  #shown = h("output", { class: "typed money", "aria-live": "off" });
  #aside = h("button", { class: "key side", click: aside }, "");
  #clear = h("button", { class: "key side", click: clear }, "");
  #add = h("button", { class: "key add", click: addTyped }, "");
  #times = h("button", { class: "key side", click: times }, "");
  #built = false;

  #build() {
    this.#built = true;
    this.#aside.append(t("ui.put_aside"));
    this.#add.append(icon("plus"), t("ui.add"));
    this.#times.append("×", h("small", {}, t("ui.pieces")));
    this.append(this.#shown, h("div", { class: "keys" },
      key("7"), key("8"), key("9"), h("button", { class: "key side", "aria-label": t("ui.erase"), click: () => set({ digits: local.digits.slice(0, -1) }) }, icon("erase")), this.#times,
      key("4"), key("5"), key("6"), this.#aside, this.#clear,
      key("1"), key("2"), key("3"), h("button", { class: "key side", "data-key": "drawer", click: noSale }, t("ui.no_sale")), h("button", { class: "key side", "data-key": "more", click: menu }, icon("menu"), t("ui.more")),
      key("00"), key("0"), h("button", { class: "key side", "aria-label": t("ui.clear_entry"), click: () => set({ digits: "", times: "" }) }, "C"), this.#add));
  }

  draw() {
    const { view, online } = now();
    if (!view?.counter) return;
    if (!this.#built) this.#build();
    const sale = current();
    const empty = !sale || !(sale.lines ?? []).length;
    paint(this.#shown, [local.digits, local.times, view.shop.language], () => [
      local.times ? h("span", { class: "times" }, local.times + " ×") : null,
      h("span", { class: local.digits ? "" : "faint" }, money(typed()))]);
    paint(this.#clear, local.sure, () => [local.sure === "clear" ? t("ui.really") : t("ui.clear_basket")]);
    this.#clear.classList.toggle("sure", local.sure === "clear");
    for (const [b, off] of /** @type {[HTMLElement, boolean][]} */ ([[this.#aside, empty], [this.#clear, empty], [this.#add, !local.digits], [this.#times, !local.digits || local.digits.length > 4]])) {
      b.toggleAttribute("disabled", off || !online);
    }
  }
});
