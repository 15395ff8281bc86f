// @ts-check
// pin.js: <till-pin> a pad for a PIN. It fires "pin" with the digits in detail; it
// never shows them, and forgets them at once.

import { h, icon } from "../dom.js";
import { t } from "../words.js";

const MOST = 12; // digits

customElements.define("till-pin", class extends HTMLElement {
  #digits = "";
  #dots = h("output", { class: "dots", "aria-live": "polite" });
  #go = h("button", { class: "key go", click: () => this.#done() }, icon("check"));

  connectedCallback() {
    if (this.firstChild) return;
    const key = (/** @type {string} */ d) => h("button", { class: "key digit", click: () => this.type(d) }, d);
    this.#go.setAttribute("aria-label", t("ui.ok"));
    this.append(this.#dots, h("div", { class: "keys pinkeys" }, ...["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(key),
      h("button", { class: "key side", "aria-label": t("ui.erase"), click: () => this.erase() }, icon("erase")), key("0"), this.#go));
    this.#draw();
  }

  /** type takes one digit. @param {string} d */
  type(d) {
    if (this.#digits.length < MOST) this.#digits += d;
    this.#draw();
  }

  erase() {
    this.#digits = this.#digits.slice(0, -1);
    this.#draw();
  }

  /** clear forgets what was typed; shake says that it was wrong. @param {boolean} [shake] */
  clear(shake = false) {
    this.#digits = "";
    this.#draw();
    this.classList.remove("shake");
    if (shake) {
      void this.offsetWidth; // or the animation does not start anew
      this.classList.add("shake");
    }
  }

  /** empty says that nothing is typed. */
  get empty() {
    return !this.#digits;
  }

  /** key takes a key of the keyboard. @param {KeyboardEvent} e */
  key(e) {
    if (/^[0-9]$/.test(e.key)) this.type(e.key);
    else if (e.key === "Backspace") this.erase();
    else if (e.key === "Enter") this.#done();
    else return;
    e.preventDefault();
  }

  #done() {
    const detail = this.#digits;
    if (detail) this.dispatchEvent(new CustomEvent("pin", { detail }));
  }

  #draw() {
    const n = this.#digits.length;
    this.#dots.setAttribute("aria-label", t("ui.digits_typed", { n }));
    this.#dots.replaceChildren(...Array.from({ length: Math.max(4, n) }, (_, i) => h("i", { class: i < n ? "full" : "" })));
    this.#go.toggleAttribute("disabled", n < 4);
  }
});
