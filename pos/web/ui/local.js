// @ts-check
// local.js: what only this page knows: the open pane, digits being typed, what is
// not sent yet. The till's own state is in state.js.

import { newKey, once, pause, Problem, send } from "./api.js";
import { changed, connect, now, subscribe, until } from "./state.js";
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
  /** @type {{key: string, body: any, name: string, sale: string, next: boolean}[]} */
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

/** OF are the panes that are about the sale at the counter. */
const OF = new Set(["pay", "amount", "code"]);
let at = "";
let asks = "";

/** follow ends what this page was doing about a sale that is at the counter no more, whoever took it away. What was typed for a basket stays. */
export function follow() {
  const sale = current();
  const id = sale?.id ?? "";
  const p = sale?.payments?.at(-1);
  if (asks !== id + p?.id + p?.aside) local.sure = "";
  asks = id + p?.id + p?.aside;
  if (at === id) return;
  if (at && OF.has(local.pane)) Object.assign(local, { pane: local.home, times: "", digits: "" });
  if (at) Object.assign(local, { line: 0, coin: "" });
  at = id;
}

/** FOLLOWS is how long, in ms, an answer waits for the state that tells of it: on a live line it is there at once. */
const FOLLOWS = 1_000;

/** heard resolves when the till has told of its state since. @param {number} since what now().told was before it was asked */
export const heard = (since) => until(() => now().told > since || !now().online, FOLLOWS);

/** act sends one thing for a button; what fails is shown. It returns the answer, when the page knows the state after it, or undefined. @param {string} method @param {string} path @param {any} [body] */
export async function act(method, path, body) {
  const { told } = now();
  set({ problem: null, sure: "" });
  try {
    const out = await once(method, path, body, current()?.id);
    if (out) await heard(told);
    return out;
  } catch (e) {
    fail(e);
    return undefined;
  }
}

let going = /** @type {Promise<any>|null} */ (null);

/** leaving is the sign-out under way, if any. Who signs in next waits for it: its answer would end the new session. */
export const leaving = () => going;

/** leave signs out here, after what was tapped before. The line may be down: the screen is locked all the same, and the till is told when it is back. */
export function leave() {
  Object.assign(local, { pane: local.home, digits: "", times: "", coin: "", problem: null });
  going ??= out().finally(() => { going = null; changed(); });
  changed();
  return going;
}

async function out() {
  await Promise.race([flush(), pause(FOLLOWS)]);
  local.queue = [];
  for (let none = true; none;) {
    none = await send("DELETE", "/v1/sessions/current", undefined, newKey()).then(() => false, (e) => !e.status);
    if (none) await pause(FOLLOWS);
  }
  connect();
  await until(() => !now().view?.counter, FOLLOWS);
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

const AHEAD = 64; // keys that are kept; beyond it something lies on the keyboard
/** @type {{key: string, press: () => void}[]} */
let ahead = [];
let holds = 0;
let enters = 0; // of the holds, those after which Enter by itself means something
let desk = {}; // whom they are for

/** drop forgets what waits for the till's answers: somebody else is at the till from now on. */
export function drop() {
  ahead = [];
  holds = enters = 0;
  desk = {};
  turning = null;
}

/**
 * hold runs f, which asks the till, and keeps the keys that are pressed meanwhile for
 * what the screen shows then: when f has returned, or as soon as the state says that
 * it is so. When f returns nothing, or the line is down, they are dropped, as they were
 * meant for what did not come about; and so is an Enter that ends nothing: it is a second tap.
 * @param {() => Promise<any>} f @param {() => boolean} [so] @param {number} [enter] 1: no, it is meant
 */
export async function hold(f, so = () => false, enter = 0) {
  const over = new AbortController();
  const mine = desk;
  const free = (/** @type {any} */ ok) => {
    if (over.signal.aborted) return;
    over.abort();
    if (mine !== desk) return;
    holds--;
    enters -= enter;
    if (!ok && !holds) ahead = [];
    while (ahead.length && !holds) ahead.shift()?.press();
    while (holds && !enters && ahead[0]?.key === "Enter") ahead.shift();
  };
  holds++;
  enters += enter;
  let out;
  subscribe(() => { if (so() || !now().online) free(so()); }, over);
  try {
    return out = await f();
  } finally {
    free(out);
  }
}

/** later keeps a key while the till is asked, and reports whether it is. @param {string} key @param {() => void} press */
export function later(key, press) {
  if (!holds) return false;
  if (key === "Escape") ahead = [];
  if (key.length > 1 && key !== "Backspace" && key !== "Enter") return false;
  if (ahead.length < AHEAD && (ahead.length || enters || key !== "Enter")) ahead.push({ key, press });
  return true;
}

let running = /** @type {Promise<string|undefined>|null} */ (null);
let turning = /** @type {object|null} */ (null);

/** turn changes the sale at the counter: lines that were tapped before belong to the old one, those tapped meanwhile to the new one. @param {(sale?: string) => Promise<any>} f asks the till, about the old sale */
export async function turn(f) {
  if (turning) return undefined;
  const seen = current()?.id;
  const mine = turning = { old: /** @type {any} */ (null) };
  const end = () => {
    if (turning !== mine) return;
    turning = null;
    for (const x of local.queue) x.next = false;
    flush();
  };
  const out = await hold(async () => {
    const sale = await flush() ?? seen;
    if (local.queue.some((x) => !x.next)) return undefined; // not sent: it stays with its sale
    mine.old = current()?.id;
    return f(sale);
  }, () => {
    if (mine.old === null || mine.old === current()?.id) return false;
    end();
    return true;
  });
  end();
  return out;
}

/** aside puts the sale that is seen aside for an empty one: it and no other, however late the till hears of it. */
export const aside = () => turn((sale = "none") => act("POST", "/v1/sales", { sale }));

/**
 * add puts a line into the basket: at once on the screen, and in order, each
 * under its own key, on the till. It returns the sale's ID when all is sent.
 * @param {any} body @param {string} name
 */
export function add(body, name) {
  const sale = current();
  if (local.queue.length < QUEUE) local.queue.push({ key: newKey(), body, name, sale: sale?.state === "draft" && !turning ? sale.id : "", next: !!turning });
  set({ digits: "", times: "", line: 0, problem: null, sure: "", seen: now().view?.customer?.sale ?? "" });
  return flush();
}

/** ready says that a line waits, and not for another sale. */
const ready = () => local.queue.length > 0 && !(turning && local.queue[0].next);

/** flush sends what waits. It returns the sale's ID when all is sent. @returns {Promise<string|undefined>} */
export function flush() {
  if (!running && ready()) running = drain();
  return running ?? Promise.resolve(undefined);
}

async function drain() {
  let sale;
  try {
    while (ready()) {
      const line = local.queue[0];
      const { told } = now();
      try {
        sale = (await send("POST", `/v1/sales/${line.sale || sale || "current"}/lines`, line.body, line.key)).sale;
        await heard(told);
      } catch (e) {
        if (e instanceof Problem && e.status === 0) { // not answered: it stays, under its key, and is shown as not sent
          fail(e);
          return undefined;
        }
        sale = undefined;
        if (e instanceof Problem && e.status === 401) local.queue = [];
        fail(e);
      }
      if (local.queue[0] === line) local.queue.shift();
      changed();
    }
    return sale;
  } finally {
    running = null; // at once: what is tapped from now on begins anew
  }
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
