// @ts-check
// code.js: <till-code> takes the six digits that a customer brings back from a
// request made without a line. They are sent when the sixth is there.

import { once, Problem } from "../api.js";
import { h, icon } from "../dom.js";
import { current, heard, hold, set } from "../local.js";
import { now } from "../state.js";
import * as sound from "../sound.js";
import { t } from "../words.js";

const SIX = 6;
const TRIES = 3; // then a manager types
const SETTLE = 250; // ms after the sixth key: a scanner's longer number goes on within it

/** reference names an offline request as the customer's phone does: "#0417". @param {any} p */
export const reference = (p) => "#" + String(p.counter).padStart(4, "0");

/** waitsFor returns the requests of a sale that a code may still prove. @param {any} sale */
export const waitsFor = (sale) => (sale?.payments ?? []).filter((/** @type {any} */ p) => p.offline && ["intended", "requested", "seen", "unknown"].includes(p.state));

/** SCAN is what a scanner reads off a payer's page; some keyboards write its colons otherwise. */
export const SCAN = /^OP1[^0-9]([0-9]{1,10})[^0-9]([0-9]{6})$/i;

/** said is what the last try came to; the count of wrong ones is in the sale. */
let said = "";

/** tell tries a code and remembers what to say, while that sale is at the counter. @param {any} sale @param {string} code */
async function tell(sale, code) {
  const { told } = now();
  const say = (/** @type {string} */ text) => { if (current()?.id === sale.id) said = text; };
  said = "";
  set({ problem: null, sure: "" });
  try {
    const answer = await once("POST", `/v1/sales/${sale.id}/codes`, { code });
    if (answer) await heard(told);
    if (answer?.other) say(t("ui.code_other"));
    if (answer?.other || answer?.wrong) sound.wrong();
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    sound.wrong();
    say(e.status === 0 ? t("ui.offline") + ". " + t("ui.code_again") : e.status === 403 ? "" : e.message); // a lock is in the sale
    if (e.status === 401) document.dispatchEvent(new Event("stranger"));
  }
  set({});
}

/** scanned takes what a scanner read, wherever the cashier is. @param {string} text */
export async function scanned(text) {
  const [, counter, digits] = /** @type {RegExpMatchArray} */ (text.match(SCAN));
  const sale = current();
  if (!now().view?.counter) return undefined; // nobody is signed in
  if (sale?.offline) {
    set({ pane: "code", digits: "" });
    return tell(sale, `OP1:${counter}:${digits}`);
  }
  const home = now().view.counter.open.find((/** @type {any} */ s) => waitsFor(s).some((/** @type {any} */ p) => String(p.counter) === counter));
  sound.wrong();
  return set({ problem: { title: home ? t("ui.code_elsewhere", { ref: home.ref }) : t("ui.code_nobody"), detail: "" } });
}

customElements.define("till-code", class extends HTMLElement {
  #digits = "";
  #sale = /** @type {any} */ (null);
  #asking = false;
  #timer = 0;
  #hint = h("p", { class: "hint", role: "alert" });
  #boxes = h("output", { class: "boxes" });
  #keys = h("div", { class: "keys codekeys" });
  #lock = h("div", { class: "codelock" });

  connectedCallback() {
    if (this.firstChild) return;
    const key = (/** @type {string} */ d) => h("button", { class: "key digit", "data-key": "code" + d, click: () => this.type(d) }, d);
    this.#keys.append(...["7", "8", "9", "4", "5", "6", "1", "2", "3"].map(key),
      h("button", { class: "key side", "aria-label": t("ui.clear_entry"), click: () => this.clear() }, "C"), key("0"),
      h("button", { class: "key side", "aria-label": t("ui.erase"), click: () => this.erase() }, icon("erase")));
    this.#lock.append(icon("lock"), h("p", {}, t("code_locked")), h("button", { class: "wide", "data-key": "manager", click: () => document.dispatchEvent(new Event("lock")) }, t("ui.manager_signs_in")));
    this.append(this.#hint, this.#boxes, this.#keys, this.#lock);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  /** show is told of the sale whose code is typed. @param {any} sale @param {boolean} manager */
  show(sale, manager) {
    if (this.#sale?.id !== sale.id) {
      this.#digits = said = "";
      this.#asking = false;
      clearTimeout(this.#timer);
    }
    this.#sale = sale;
    const shut = sale.locked && !manager;
    this.#keys.hidden = this.#boxes.hidden = this.#hint.hidden = shut;
    this.#lock.hidden = !shut;
    const left = TRIES - (sale.wrong_codes ?? 0);
    const bad = said || (left >= TRIES ? "" : left > 1 ? t("ui.code_wrong", { n: left }) : left === 1 ? t("ui.code_wrong_last") : t("ui.code_wrong_more"));
    const text = this.#asking ? t("ui.one_moment") : bad || t("ui.ask_code");
    if (this.#hint.textContent !== text) this.#hint.replaceChildren(...(bad && !this.#asking ? [icon("warn")] : []), text);
    this.#hint.classList.toggle("wrong", !!bad && !this.#asking);
    for (const b of this.#keys.querySelectorAll("button")) b.disabled = this.#asking; // a tap now is none of the next code: it may be a nervous finger's
    this.#draw();
  }

  /** type takes one digit; a key of the keyboard may be a scanner's. @param {string} d @param {boolean} [key] */
  type(d, key = false) {
    if (this.#asking || this.#keys.hidden) return;
    clearTimeout(this.#timer);
    if (this.#digits.length >= SIX) this.#digits = key ? "-" : ""; // more than six so fast: no hand typed this
    if (this.#digits !== "-") this.#digits += d;
    said = said && this.#digits.length === 1 ? "" : said;
    this.show(this.#sale, !this.#keys.hidden);
    if (this.#digits === "-") this.#timer = window.setTimeout(() => this.clear(), SETTLE);
    else if (this.#digits.length === SIX) this.#timer = window.setTimeout(() => this.#send(), key ? SETTLE : 0);
  }

  erase() {
    clearTimeout(this.#timer);
    this.#digits = this.#digits.slice(0, -1);
    this.#draw();
  }

  clear() {
    clearTimeout(this.#timer);
    this.#digits = "";
    this.#draw();
  }

  #send() {
    const sale = this.#sale;
    this.#asking = true;
    this.show(sale, true);
    return hold(async () => {
      await tell(sale, this.#digits);
      if (this.#sale.id === sale.id) { // and not another one's, which is typed meanwhile
        this.#asking = false;
        this.#digits = "";
        set({});
      }
      return true;
    }, () => current()?.id !== sale.id);
  }

  #draw() {
    const typed = this.#digits === "-" ? "" : this.#digits;
    this.#boxes.setAttribute("aria-label", t("ui.code_typed", { n: typed.length }));
    this.#boxes.replaceChildren(...Array.from({ length: SIX }, (_, i) => h("i", { class: i === typed.length ? "next" : "" }, typed[i] ?? "")));
  }
});
