// @ts-check
// open.js: <till-open> every sale that is not over.

import { act, aside, current, local, set, turn } from "../local.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { money } from "../money.js";
import { now } from "../state.js";
import { t } from "../words.js";
import { reference, waitsFor } from "./code.js";
import { age } from "./head.js";

/** to leaves the list when another sale is the current one. @param {Promise<any>} turned */
const to = async (turned) => { if (await turned && local.pane === "open") set({ pane: local.home }); };

/** standing says in a word how a sale stands. @param {any} s */
export function standing(s) {
  if (s.doubtful) return { word: t("ui.no_answer"), look: "bad", shape: "warn" };
  if (s.waiting) return { word: t("ui.awaiting"), look: "warn", shape: "clock" };
  if (s.state === "part-paid") return { word: t("ui.part_paid"), look: "warn", shape: "dot" };
  if (s.state === "awaiting") return { word: t("ui.not_paid"), look: "plain", shape: "dot" };
  return { word: t("ui.basket"), look: "plain", shape: "receipt" };
}

customElements.define("till-open", class extends TillElement {
  draw() {
    const { view, online } = now();
    if (!view?.counter) return;
    const here = current()?.id;
    const list = view.counter.open;
    paint(this, [list, here, online, Math.floor(Date.now() / 60_000)], () => [
      h("div", { class: "cards" }, ...list.map((/** @type {any} */ s) => {
        const st = standing(s);
        return h("button", { class: "card", "data-key": s.id, "aria-current": s.id === here ? "true" : null, disabled: !online, click: () => s.id === here ? set({ pane: local.home }) : to(turn(() => act("PUT", "/v1/current-sale", { sale: s.id }))) },
          h("b", {}, s.ref), h("span", { class: "money" }, money(s.due)), h("span", { class: "tag " + st.look }, icon(/** @type {any} */ (st.shape)), st.word), h("small", {}, [...waitsFor(s).slice(-2).map((/** @type {any} */ p) => t("ui.code_of", { ref: reference(p) })), s.by.name, age(s.opened)].join(" · ")));
      }), list.length ? null : h("p", { class: "nothing" }, t("ui.none_open"))),
      h("button", { class: "wide", "data-key": "new", disabled: !online, click: () => to(aside()) }, icon("plus"), t("ui.new_sale")),
    ]);
  }
});
