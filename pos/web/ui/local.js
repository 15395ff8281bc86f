// @ts-check
// local.js: what only this page knows: the open pane, digits being typed, what is
// not sent yet. The till's own state is in state.js.

import { newKey, once, Problem, send } from "./api.js";
import { changed, now } from "./state.js";
import * as sound from "./sound.js";
import { t } from "./words.js";

/** What the cashier is doing on this page. */
export const local = {
  pane: localStorage.getItem("home") ?? "keypad", // keypad, items, open, pay, amount, code
  home: localStorage.getItem("home") ?? "keypad", // keypad or items, as chosen last: where each sale begins
  digits: "", // of an amount being typed, in minor units
  coin: "", // the stablecoin whose network is asked for; "*" asks for the coin
  times: "", // pieces, typed before ×
  line: 0, // the chosen line; 0 is the last
  search: "",
  category: "",
  seen: "", // the completed sale whose PAID or CHANGE was left
  sure: "", // what a second tap will do
  problem: /** @type {null|{title: string, detail: string}} */ (null),
  /** @type {{key: string, body: any, name: string}[]} */
  queue: [],
};

/** MOST digits: 99,999,999.99 is more than any till sells at once. */
const MOST = 10;
const QUEUE = 32; // taps ahead of the till; beyond it somebody leans on the screen

/** set changes what the page knows and shows it. @param {Partial<typeof local>} change */
export function set(change) {
  Object.assign(local, change);
  changed();
}

/** current is the sale at the counter, if any. */
export const current = () => now().view?.counter?.current ?? null;

/** covers says that a payment pays its part: its money is there, or its code was right. @param {any} p */
export const covers = (p) => p.state === "settled" || (p.state === "accepted" && !!p.offline) || trusted(p);

/** trusted reports a payment that covers its part of the sale by a person's word: its network has not answered yet. @param {any} p */
export const trusted = (p) => !!p.unverified && !p.lost && ["intended", "requested", "seen", "accepted", "unknown"].includes(p.state);

/** fail shows what went wrong and says it aloud. @param {unknown} e */
export function fail(e) {
  sound.wrong();
  if (!(e instanceof Problem)) throw e;
  const offline = e.status === 0;
  set({ problem: { title: offline ? t("ui.offline") : e.title, detail: offline ? t("ui.offline_again") : e.message } });
  if (e.status === 401) document.dispatchEvent(new Event("stranger"));
}

/** act sends one thing for a button; what fails is shown. It returns the answer or undefined. @param {string} method @param {string} path @param {any} [body] */
export async function act(method, path, body) {
  set({ problem: null, sure: "" });
  try {
    return await once(method, path, body);
  } catch (e) {
    fail(e);
    return undefined;
  }
}

/** DOUBLE is how long, in ms, a second tap is taken for the same nervous finger. */
const DOUBLE = 600;

/** calm resolves when a second tap is meant. */
export const calm = () => new Promise((done) => { setTimeout(done, 2 * DOUBLE); });
let asked = 0;

/** sure returns true when what is asked once more before it is done was asked long enough ago to be meant. @param {string} what */
export function sure(what) {
  const late = performance.now() - asked;
  if (local.sure === what) return late > DOUBLE;
  asked = performance.now();
  set({ sure: what });
  return false;
}

/** busy runs f with the pressed button switched off, so that a second tap on it does nothing. @param {Event} e @param {() => Promise<any>} f */
export async function busy(e, f) {
  const b = /** @type {HTMLButtonElement} */ (e.currentTarget);
  if (b.getAttribute("aria-disabled") === "true") return;
  b.setAttribute("aria-disabled", "true");
  try {
    await f();
  } finally {
    b.removeAttribute("aria-disabled");
  }
}

let running = /** @type {Promise<string|undefined>|null} */ (null);

/**
 * add puts a line into the basket: at once on the screen, and in order, each
 * under its own key, on the till. It returns the sale's ID when all is sent.
 * @param {any} body @param {string} name
 */
export function add(body, name) {
  if (local.queue.length < QUEUE) local.queue.push({ key: newKey(), body, name });
  set({ digits: "", times: "", line: 0, problem: null, sure: "", seen: now().view?.customer?.sale ?? "" });
  return flush();
}

/** flush sends what waits. */
export function flush() {
  running ??= drain().finally(() => { running = null; });
  return running;
}

async function drain() {
  let sale;
  while (local.queue.length) {
    const { key, body } = local.queue[0];
    try {
      const id = current()?.state === "draft" ? current().id : "current";
      sale = (await send("POST", `/v1/sales/${id}/lines`, body, key)).sale;
    } catch (e) {
      if (e instanceof Problem && e.status === 0) { // not answered: it stays, under its key, and is shown as not sent
        fail(e);
        return undefined;
      }
      sale = undefined;
      if (e instanceof Problem && e.status === 401) local.queue = [];
      fail(e);
    }
    local.queue.shift();
    changed();
  }
  return sale;
}

/** pieces takes what was typed before ×, in thousandths, as text is not a number of money. */
export function pieces() {
  return local.times ? { qty: Number(local.times) * 1000 } : {};
}

/** digit types into the amount. @param {string} d "0" to "9", or "00" */
export function digit(d) {
  const digits = (local.digits + d).replace(/^0+/, "").slice(0, MOST);
  set({ digits, problem: null, sure: "" });
}

/** times takes the digits as a number of pieces. */
export function times() {
  if (local.digits && local.digits.length <= 4) set({ times: local.digits, digits: "" });
}

/** typed returns what was typed as an amount of the shop's currency. */
export const typed = () => {
  const v = now().view;
  return { minor: local.digits || "0", decimals: v?.decimals ?? 2, currency: v?.currency ?? "EUR" };
};

/** addTyped puts the typed amount into the basket. */
export async function addTyped() {
  if (!local.digits) return undefined;
  return add({ price: typed(), ...pieces() }, t("ui.amount"));
}

/** addItem puts an item into the basket. One digit typed before it is its pieces; more are an amount, which goes first, as it does before Pay. @param {any} item */
export function addItem(item) {
  if (!local.times && local.digits.length === 1) times();
  else addTyped();
  return add({ sku: item.sku, ...pieces() }, item.name);
}

/** scan looks a code up; the till knows whether there is such an item. @param {string} code */
export async function scan(code) {
  const sale = await add({ sku: code, ...pieces() }, code);
  if (sale) sound.scanned();
}
