// @ts-check
// keys.js: the keyboard, and scanners, which are keyboards that type fast.

import { addTyped, aside, current, digit, later, local, scan, set, times } from "./local.js";
import { chosen, pay, setQty } from "./elements/cart.js";
import { charge, exact } from "./elements/pay.js";
import { next } from "./elements/done.js";
import { SCAN, scanned as page } from "./elements/code.js";
import { knows } from "./elements/items.js";
import { keys as help } from "./menu.js";
import { typed } from "./local.js";

const BURST = 60; // milliseconds between keys that no hand holds through a whole number
const SHORTEST = 6; // digits of a number nobody types as an amount so fast
const LONGEST = 11; // digits, more than an amount has: EAN-13 and UPC-A are items at any speed

const SLOW = 200; // milliseconds between the keys of a slow scanner, where nobody types amounts
const PAUSE = 500; // milliseconds that no scanner stops for within what it reads
const PAGE = /^(O|OP|OP1|OP1[^0-9][0-9]{0,10}|OP1[^0-9][0-9]{1,10}[^0-9][0-9]{0,6})$/i; // the beginnings of what it reads off a payer's page

let read = ""; // what a scanner has read of such a page so far
let readAt = 0;
let run = ""; // keys of the last burst
let word = ""; // keys since the last end
let last = 0;

/**
 * code returns the number that was just scanned, or typed by hand from a label,
 * or "" when it was an amount. A hand is slower than a scanner, and shorter.
 * @param {number} at
 */
function code(at) {
  const fast = at - last <= BURST;
  if (word.length >= LONGEST || (word.length >= 8 && knows(word))) return word;
  return fast && (knows(run) || run.length >= SHORTEST) ? run : "";
}

/** note keeps what is typed. @param {string} k @param {number} at */
function note(k, at) {
  run = at - last <= BURST ? run + k : k;
  word = local.digits || /^0*$/.test(word) || (mode() === "wait" && at - last <= SLOW) ? word + k : k;
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

/** pad is the pad for a customer's code, while it is there. @returns {any} */
const pad = () => (mode() === "wait" ? document.querySelector("till-code") : null);

/**
 * paid takes what a scanner reads off a payer's page, wherever the focus is: none
 * of it may be taken for an amount, a code that is typed, or the press of a button.
 * It reports that the key was a part of it.
 * @param {KeyboardEvent} e
 */
function paid(e) {
  if (e.key === "Shift" || e.key === "CapsLock") return false;
  const next = (e.timeStamp - readAt > PAUSE ? "" : read) + (e.key.length === 1 ? e.key : "");
  readAt = e.timeStamp;
  const input = /** @type {HTMLElement} */ (e.target).closest("input");
  if (e.key === "Enter" && SCAN.test(next)) {
    read = run = word = "";
    e.preventDefault();
    e.stopImmediatePropagation();
    if (input) {
      input.value = input.type === "search" ? "" : input.value.slice(0, Math.max(0, input.value.length - next.length));
      input.dispatchEvent(new Event("input"));
      input.blur();
    }
    document.querySelectorAll("dialog").forEach((d) => d.close());
    page(next);
    return true;
  }
  read = PAGE.test(next) ? next : "";
  // The page of items opens its search for a letter; what follows lands there and is taken back above.
  const swallow = !!read && !input && (read.length > 1 || mode() !== "sell" && mode() !== "done");
  if (swallow) e.preventDefault();
  return swallow;
}

/** enter ends what was typed. @param {KeyboardEvent} e */
function enter(e) {
  const scanned = code(e.timeStamp);
  if (scanned) {
    pad()?.clear();
    set({ digits: "", pane: local.home });
    scan(scanned);
  } else if (mode() === "pay" && local.pane === "amount" && local.digits) charge(/** @type {any} */ ({ currentTarget: document.body }), "cash", { given: typed() });
  else if (mode() === "pay") exact(e);
  else if (local.digits) addTyped();
  else if (mode() === "done") next();
  else return;
  run = word = "";
  e.preventDefault();
}

/** named are keys with a name. @type {Record<string, (e: KeyboardEvent) => void>} */
const named = {
  Enter: enter,
  Backspace: () => { pad()?.erase(); word = word.slice(0, -1); set({ digits: local.digits.slice(0, -1) }); },
  Delete: () => { const line = chosen(); if (line && mode() === "sell") setQty(line, 0); },
  Escape: () => { pad()?.clear(); if (local.coin) return set({ coin: "" }); set({ digits: "", times: "", sure: "", problem: null, pane: local.pane === "amount" ? "pay" : current()?.state === "draft" || local.pane !== "pay" ? local.home : "pay" }); },
  F1: help,
  F3: () => document.dispatchEvent(new Event("lock")),
  F4: () => document.dispatchEvent(new Event("lock")),
  F6: (e) => (e.shiftKey ? set({ pane: "open" }) : current() && aside()),
  F12: () => (mode() === "pay" ? undefined : pay()),
  "+": () => (mode() === "pay" ? undefined : pay()),
  "*": () => { word = ""; times(); },
  "/": () => search(""),
};

/** listen takes the keys from now on. @param {AbortSignal} signal */
export function listen(signal) {
  document.addEventListener("keydown", (e) => {
    const at = /** @type {HTMLElement} */ (e.target);
    if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
    if (paid(e)) return;
    if (document.querySelector("dialog[open]")) return;
    if (at.closest("input, textarea, select")) return;
    const gate = document.querySelector("till-sign-in");
    if (e.key === "Enter" && !gate && at.closest("button") && !run) return; // the focused button's own
    // A scanner ends with Enter: it must not press the button that was touched last.
    if (e.key.length === 1 && !(gate && e.key === " ")) at.blur();
    if (later(e.key, () => press(e))) e.preventDefault();
    else press(e);
  }, { signal, capture: true }); // before a field of its own acts on Enter
}

/** press does what a key is for, now or when the till has answered. @param {KeyboardEvent} e */
function press(e) {
  const signIn = /** @type {any} */ (document.querySelector("till-sign-in"));
  if (signIn) return signIn.key(e);
  if (document.querySelector("dialog[open]")) return;
  const f = named[e.key];
  if (f) {
    e.preventDefault();
    f(e);
    if (e.key.length === 1) run = word = ""; // no scanner sends it within a number
  } else if (/^[0-9]$/.test(e.key)) {
    e.preventDefault();
    note(e.key, e.timeStamp);
    type(e.key);
  } else if (e.key.length === 1 && e.key !== " ") {
    e.preventDefault();
    note(e.key, e.timeStamp);
    search(e.key);
  }
}

/** type takes a digit where it belongs. @param {string} d */
function type(d) {
  if (mode() === "pay" && local.pane !== "amount") set({ pane: "amount", digits: "", coin: "" });
  if (mode() === "done" || mode() === "sell") {
    if (local.pane !== "keypad") set({ pane: "keypad" });
    if (mode() === "done") set({ seen: "left" });
  }
  if (mode() !== "wait") digit(d);
  else pad()?.type(d, true);
}
