// @ts-check
// keys.js: the keyboard, and scanners, which are keyboards that type fast.

import { act, addTyped, current, digit, local, scan, set, times } from "./local.js";
import { chosen, pay, setQty } from "./elements/cart.js";
import { charge, exact } from "./elements/pay.js";
import { next } from "./elements/done.js";
import { knows } from "./elements/items.js";
import { keys as help } from "./menu.js";
import { typed } from "./local.js";

const BURST = 60; // milliseconds between keys that no hand holds through a whole number
const SHORTEST = 6; // digits of a number nobody types as an amount so fast

let run = "";
let last = 0;

/**
 * code returns the number that a scanner has just typed, or "". A hand is slower,
 * and an item's number that was typed by a fast hand is that item all the same.
 * @param {number} at
 */
function code(at) {
  if (!run || at - last > BURST) return "";
  return knows(run) || run.length >= SHORTEST ? run : "";
}

/** note keeps the run of fast keys. @param {string} k @param {number} at */
function note(k, at) {
  run = at - last <= BURST ? run + k : k;
  last = at;
}

/** which part of the screen the keys speak to. */
const mode = () => document.querySelector("main")?.dataset.show ?? "";

/** search opens the items with the cursor in the search. @param {string} text */
function search(text) {
  if (mode() === "done" || mode() === "sell") {
    set({ pane: "items", seen: mode() === "done" ? "left" : local.seen });
    /** @type {any} */ (document.querySelector("till-items"))?.find(text);
  }
}

/** enter ends what was typed. @param {KeyboardEvent} e */
function enter(e) {
  const scanned = code(e.timeStamp);
  if (scanned) {
    const before = local.digits.endsWith(scanned) ? local.digits.slice(0, -scanned.length) : "";
    set({ digits: before, pane: "keypad" });
    run = "";
    scan(scanned);
  } else if (mode() === "pay" && local.pane === "amount" && local.digits) charge(/** @type {any} */ ({ currentTarget: document.body }), "cash", { given: typed() });
  else if (mode() === "pay") exact(e);
  else if (local.digits) addTyped();
  else if (mode() === "done") next();
  else return;
  e.preventDefault();
}

/** named are keys with a name. @type {Record<string, (e: KeyboardEvent) => void>} */
const named = {
  Enter: enter,
  Backspace: () => set({ digits: local.digits.slice(0, -1) }),
  Delete: () => { const line = chosen(); if (line && mode() === "sell") setQty(line, 0); },
  Escape: () => set({ digits: "", times: "", sure: "", problem: null, pane: local.pane === "amount" ? "pay" : current()?.state === "draft" || local.pane !== "pay" ? "keypad" : "pay" }),
  F1: help,
  F3: () => document.dispatchEvent(new Event("lock")),
  F4: () => document.dispatchEvent(new Event("lock")),
  F6: (e) => (e.shiftKey ? set({ pane: "open" }) : current() && act("POST", "/v1/sales", {})),
  F12: () => (mode() === "pay" ? undefined : pay()),
  "+": () => (mode() === "pay" ? undefined : pay()),
  "*": times,
  "/": () => search(""),
};

/** listen takes the keys from now on. @param {AbortSignal} signal */
export function listen(signal) {
  document.addEventListener("keydown", (e) => {
    const at = /** @type {HTMLElement} */ (e.target);
    if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing || document.querySelector("dialog[open]")) return;
    const signIn = /** @type {any} */ (document.querySelector("till-sign-in"));
    if (signIn) return signIn.key(e);
    if (at.closest("input, textarea, select")) return;
    if (e.key === "Enter" && at.closest("button") && !run) return; // the focused button's own
    // A scanner ends with Enter: it must not press the button that was touched last.
    if (e.key.length === 1) at.blur();
    const f = named[e.key];
    if (f) {
      e.preventDefault();
      f(e);
    } else if (/^[0-9]$/.test(e.key)) {
      e.preventDefault();
      note(e.key, e.timeStamp);
      type(e.key);
    } else if (e.key.length === 1 && e.key !== " ") {
      e.preventDefault();
      note(e.key, e.timeStamp);
      search(e.key);
    }
  }, { signal });
}

/** type takes a digit where it belongs. @param {string} d */
function type(d) {
  if (mode() === "pay" && local.pane !== "amount") set({ pane: "amount", digits: "" });
  if (mode() === "done" || mode() === "sell") {
    if (local.pane !== "keypad") set({ pane: "keypad" });
    if (mode() === "done") set({ seen: "left" });
  }
  if (mode() !== "wait") digit(d);
}
