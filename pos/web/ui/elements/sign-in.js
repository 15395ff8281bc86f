// @ts-check
// sign-in.js: <till-sign-in> names, then a PIN.

import "./pin.js";
import { get, newKey, Problem, send } from "../api.js";
import { h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { hold, leave, leaving } from "../local.js";
import { connect, now, until } from "../state.js";
import * as sound from "../sound.js";
import { t } from "../words.js";

const SHOWN = 5_000; // ms within which the till has told its state after somebody signed in

customElements.define("till-sign-in", class extends TillElement {
  /** @type {any[]|null} */
  #staff = null;
  #who = "";
  #wrong = "";
  #until = 0;
  #asking = false;
  #pad = /** @type {any} */ (document.createElement("till-pin"));

  connectedCallback() {
    this.#pad.addEventListener("pin", (/** @type {CustomEvent} */ e) => hold(() => this.#signIn(e.detail).then(() => true)));
    super.connectedCallback();
    this.#names();
  }

  async #names() {
    try {
      this.#staff = (await get("/v1/staff")).staff;
    } catch {
      setTimeout(() => { if (this.isConnected) this.#names(); }, 2000); // the banner says why
      return;
    }
    if (!this.#staff?.length) return location.assign("/setup");
    const last = localStorage.getItem("who");
    if (this.#staff.length === 1) this.#who = this.#staff[0].id;
    else if (!this.#staff.some((s) => s.id === this.#who)) this.#who = this.#staff.some((s) => s.id === last) ? String(last) : "";
    this.draw();
  }

  /** @param {string} pin */
  async #signIn(pin) {
    if (this.#asking || Date.now() < this.#until) return;
    const who = this.#who;
    const same = () => this.#who === who; // nobody else has taken over meanwhile
    this.#asking = true;
    this.#pad.clear();
    this.#wrong = t("ui.one_moment");
    this.draw();
    try {
      await leaving();
      await send("POST", "/v1/sessions", { actor: who, pin }, newKey());
      if (same()) {
        localStorage.setItem("who", who);
        this.#wrong = "";
        connect();
        await until(() => !this.isConnected, SHOWN);
      } else await leave();
    } catch (e) {
      sound.wrong();
      if (this.#pad.empty) this.#pad.clear(true); // else the next try is being typed
      const p = e instanceof Problem ? e : new Problem({});
      if (same()) this.#wrong = p.status === 0 ? t("ui.offline") : p.status === 403 ? t("ui.wrong_pin") : p.message;
      if (p.status === 429) this.#wait(p.wait);
    }
    this.#asking = false;
    this.draw();
  }

  /** #wait counts the seconds down in which no PIN is taken. @param {number} seconds */
  #wait(seconds) {
    this.#until = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((this.#until - Date.now()) / 1000);
      this.#wrong = left > 0 ? t("ui.locked_for", { n: left }) : "";
      this.draw();
      if (left > 0 && this.isConnected) setTimeout(tick, 1000);
    };
    tick();
  }

  /** key takes a key of the keyboard. @param {KeyboardEvent} e */
  key(e) {
    if (this.#who) this.#pad.key(e);
  }

  draw() {
    const { view, online } = now();
    if (!view || !this.#staff) return;
    paint(this, [view.shop.name, view.shop.till, this.#staff, this.#who, this.#wrong, this.#asking, online, view.shop.language], () => [
      h("header", {}, h("h1", {}, view.shop.name), h("p", {}, view.shop.till)),
      h("div", { class: "names" }, h("p", { class: "label" }, t("ui.who_are_you")), ...(this.#staff ?? []).map((s) =>
        h("button", { class: "name", "data-key": s.id, "aria-pressed": String(s.id === this.#who), click: () => { this.#who = s.id; this.#wrong = ""; this.#pad.clear(); this.draw(); } },
          h("i", { class: "face", "aria-hidden": "true" }, [...s.name][0] ?? "?"), h("span", {}, s.name)))),
      h("div", { class: this.#who ? "pinbox" : "pinbox off" },
        h("p", { class: this.#wrong && !this.#asking ? "hint wrong" : "hint", role: "status" }, this.#wrong ? this.#wrong : this.#who ? t("ui.your_pin") : t("ui.choose_name")), this.#pad),
    ]);
  }
});
