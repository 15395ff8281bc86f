// @ts-check
// till.js: the cashier's page.

import "./elements/head.js";
import "./elements/keypad.js";
import "./elements/items.js";
import "./elements/cart.js";
import "./elements/open.js";
import "./elements/pay.js";
import "./elements/wait.js";
import "./elements/done.js";
import "./elements/sign-in.js";
import { catalogue } from "./elements/items.js";
import { waitsFor } from "./elements/code.js";
import { payment } from "./elements/wait.js";
import { h, icon, paint } from "./dom.js";
import { listen } from "./keys.js";
import { changed, connect, now, subscribe } from "./state.js";
import { current, drop, fail, flush, follow, leave, leaving, local, set } from "./local.js";
import * as sound from "./sound.js";
import { load, t } from "./words.js";

const page = new AbortController();
const make = (/** @type {string} */ tag) => document.createElement(tag);

const tabs = h("nav", { class: "tabs" });
const toast = h("div", { class: "toast", role: "alert", click: () => set({ problem: null }) });
const banner = h("div", { class: "banner", role: "alert" });
const left = h("section", { class: "left" }, tabs, make("till-keypad"), make("till-items"), make("till-open"), make("till-pay"), make("till-wait"), make("till-done"), toast);
const main = h("main", { "data-show": "" }, left, make("till-head"), make("till-cart"), make("till-foot"));

/** show says what the left pane is for: sell, open, pay, wait or done. */
function show() {
  const { view } = now();
  const sale = current();
  const over = isOver(view.customer);
  if (local.pane === "open") return "open";
  if (payment(sale) || (local.pane === "code" && waitsFor(sale).length)) return "wait";
  if (sale && (sale.state !== "draft" || ((local.pane === "pay" || local.pane === "amount") && sale.lines?.length))) return "pay";
  if (over && !local.digits && local.seen !== view.customer.sale && local.seen !== "left" && view.counter.last_done?.id === view.customer.sale && !sale?.lines?.length && !local.queue.length) return "done";
  return "sell";
}

/** go opens a pane; the next sale begins where this one was rung up. @param {string} pane */
function go(pane) {
  if (pane !== "open") localStorage.setItem("home", pane);
  set({ pane, home: pane === "open" ? local.home : pane, seen: now().view.customer.sale ?? "", sure: "", coin: "" });
}

/** @param {string} pane @param {string} word @param {any} shape */
function tab(pane, word, shape) {
  const on = (local.pane === "open") === (pane === "open") && (pane === "open" || local.pane === pane || (pane === "keypad" && local.pane !== "items"));
  const wide = pane === "keypad" ? h("span", { class: "wideword" }, t("ui.sell")) : null; // both are there on a wide screen
  return h("button", { class: "tab " + pane, "data-key": "tab " + pane, "aria-pressed": String(on), click: () => go(pane) }, shape, h("span", {}, word), wide);
}

/** isOver reports a picture of a sale that is complete; one taken unverified is being checked. @param {any} c */
function isOver(c) {
  return c.phase === "paid" || c.phase === "change" || (c.phase === "checking" && c.reason === "unverified");
}

let rung = /** @type {string|null} */ (null);
let newest = /** @type {number|null} */ (null);

/** ring sounds what happened since the last state: this sale paid, another one, trouble. */
function ring() {
  const { customer, counter } = now().view;
  const over = isOver(customer) ? customer.sale : "";
  const fresh = rung !== null && !!over && over !== rung;
  if (fresh) {
    if (customer.phase !== "checking") sound.paid();
    const begun = main.dataset.show === "sell" && (local.digits || local.times || (local.search && document.activeElement?.matches("input"))); // the next sale: what is typed stays
    Object.assign(local, begun ? { seen: over } : { seen: "", pane: local.home, digits: "", times: "" });
  }
  rung = over;
  const top = counter?.notices?.[0];
  if (newest !== null && top && top.id > newest && !fresh) (top.kind === "paid" ? sound.elsewhere : sound.wrong)();
  if (counter) newest = Math.max(newest ?? 0, top?.id ?? 0);
}

let rings = -1;

function draw() {
  const { view, online } = now();
  document.body.classList.toggle("offline", !online);
  paint(banner, [online, !!view], () => online ? [] : [icon("triangle"), h("p", {}, h("b", {}, t(view ? "ui.no_till" : "ui.connecting")), " ", view ? t("ui.no_till_why") : "")]);
  if (!view) return;
  follow();
  if (view.version !== rings) {
    rings = view.version;
    ring();
  }
  const stranger = !view.counter || leaving();
  const gate = document.querySelector("till-sign-in");
  if (stranger && !gate) {
    drop();
    main.remove();
    document.querySelectorAll("dialog").forEach((d) => d.close());
    document.body.append(make("till-sign-in"));
  } else if (!stranger && !main.isConnected) {
    gate?.remove();
    document.body.append(main);
    stock();
  }
  if (stranger) return;
  const what = show();
  if (main.dataset.show !== what) main.dataset.show = what;
  main.dataset.pane = local.pane === "items" ? "items" : "keypad";
  const parked = view.counter.open.filter((/** @type {any} */ s) => s.id !== current()?.id).length;
  paint(tabs, [local.pane, parked, what, view.shop.language], () => [
    tab("keypad", t("ui.keypad"), null), tab("items", t("ui.items"), null),
    tab("open", t("ui.open_sales"), parked ? h("b", { class: "badge" }, String(parked)) : null)]);
  paint(toast, local.problem, () => local.problem ? [icon("warn"), h("p", {}, h("b", {}, local.problem.title), " ", local.problem.detail), icon("close")] : []);
}

/** stock loads the items until it has them. */
async function stock() {
  for (let told = false; main.isConnected; await new Promise((again) => setTimeout(again, 2000))) {
    try {
      await catalogue();
      return changed();
    } catch (e) {
      if (!told) fail(e);
      told = true;
    }
  }
}


let was = false;
async function start() {
  document.body.append(banner);
  for (;;) {
    try {
      await load();
      break;
    } catch {
      await new Promise((again) => setTimeout(again, 2000)); // the till is starting
    }
  }
  document.addEventListener("lock", leave);
  document.addEventListener("stranger", () => connect());
  for (const tap of ["pointerdown", "keydown"]) document.addEventListener(tap, sound.wake, { signal: page.signal });
  listen(page.signal);
  connect();
  subscribe(() => {
    draw();
    const up = now().online;
    if (up && !was && local.queue.length) flush();
    was = up;
  }, page);
}

start();
