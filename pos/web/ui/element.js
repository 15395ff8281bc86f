// @ts-check
// element.js: what every element of the screens has in common.

import { subscribe } from "./state.js";

/** TillElement calls draw when it is on the page, and after every change until it leaves. */
export class TillElement extends HTMLElement {
  #gone = new AbortController();

  connectedCallback() {
    this.#gone = new AbortController();
    subscribe(() => this.draw(), this.#gone);
  }

  disconnectedCallback() {
    this.#gone.abort();
  }

  /** draw shows the newest state. */
  draw() {}
}
