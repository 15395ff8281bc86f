// @ts-check
// items.js: <till-items> the catalogue. A tile keeps its place: hands remember it.

import { addItem, current, local, pieces, scan, set } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { get } from "../api.js";
import { money } from "../money.js";
import { now } from "../state.js";
import { divided, t } from "../words.js";

/** @type {any[]|null} */
let items = null;

/** catalogue loads all items, page by page, once a page load. */
export async function catalogue() {
  if (items) return items;
  /** @type {any[]} */
  const all = [];
  for (let cursor = ""; ;) {
    const page = await get("/v1/items?limit=500" + (cursor ? "&cursor=" + encodeURIComponent(cursor) : ""));
    all.push(...page.items);
    if (!page.next) break;
    cursor = page.next;
  }
  items = all;
  return all;
}

/** knows finds an item by its exact number. @param {string} sku */
export const knows = (sku) => items?.find((i) => i.sku === sku);

const MANY = 120; // tiles in the page at once; a search finds the rest

/** plain takes accents and case away, so that "cafe" finds "Café". @param {string} s */
const plain = (s) => s.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** found returns the items that the search and the category leave. */
function found() {
  const words = plain(local.search).split(" ").filter(Boolean);
  return (items ?? []).filter((i) => (words.length ? words.every((w) => plain(i.name + " " + i.sku).includes(w)) : !local.category || i.category === local.category));
}

customElements.define("till-items", class extends TillElement {
  #search = /** @type {HTMLInputElement} */ (h("input", { type: "search", autocomplete: "off", spellcheck: "false", enterkeyhint: "done" }));
  #chips = h("div", { class: "chips" });
  #tiles = h("div", { class: "tiles" });
  #built = false;
  #sale = "";

  #build() {
    this.#built = true;
    this.#search.placeholder = t("ui.search");
    this.#search.setAttribute("aria-label", t("ui.search"));
    this.#search.addEventListener("input", () => set({ search: this.#search.value }));
    this.#search.addEventListener("keydown", (e) => {
      if (e.key === "Enter") this.#first();
      if (e.key === "Escape") this.#leave();
    });
    this.append(h("div", { class: "find" }, h("label", { class: "searchbox" }, icon("search"), this.#search), this.#chips), this.#tiles);
  }

  /** #first adds what the search found first; a scanned number wins over names. */
  #first() {
    const text = local.search.trim();
    const item = knows(text) ?? found()[0];
    if (!text) return;
    this.#leave();
    if (item) addItem(item);
    else scan(text);
  }

  #leave() {
    this.#search.value = "";
    this.#search.blur();
    set({ search: "" });
  }

  /** find puts the cursor into the search. @param {string} [text] */
  find(text = "") {
    this.#search.value = text;
    this.#search.focus();
    set({ search: text });
  }

  /** #next ends the category with its sale. @param {string} sale */
  #next(sale) {
    if (this.#sale && this.#sale !== sale && local.category) {
      local.category = "";
      this.#chips.scrollLeft = this.#tiles.scrollTop = 0;
    }
    this.#sale = sale;
  }

  draw() {
    const { view } = now();
    if (!view?.counter || !items) return;
    if (!this.#built) this.#build();
    this.#next(current()?.id ?? "");
    const categories = [...new Set(items.map((i) => i.category))];
    paint(this.#chips, [categories, local.category, local.search], () => ["", ...categories].map((c) =>
      h("button", { class: "chip", "data-key": "chip " + c, "aria-pressed": String(!local.search && c === local.category), click: () => { this.#search.value = ""; set({ category: c, search: "" }); } }, c || t("ui.all"))));
    const list = found();
    paint(this.#tiles, [local.search, local.category, list.length, view.shop.language], () => list.length ? list.slice(0, MANY).map((i) =>
      h("button", { class: "tile", "data-colour": i.colour || "none", click: () => { addItem(i); } },
        h("span", { class: "name" }, divided(i.name)), h("span", { class: "price money" }, money(i.price)))) : [h("p", { class: "nothing" }, t(items?.length ? "ui.none_found" : "ui.no_items"))]);
    this.classList.toggle("counting", !!pieces().qty);
  }
});
