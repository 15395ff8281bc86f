// @ts-check
// display.js: the customer's page. The picture comes drawn; this page swaps it
// without a flicker, and covers it when it may be old.

import { newKey, Problem, send } from "./api.js";
import { h, paint } from "./dom.js";
import { money } from "./money.js";
import { connect, now, subscribe } from "./state.js";
import * as sound from "./sound.js";
import { load, t } from "./words.js";

const page = new AbortController();
let shown = /** @type {HTMLImageElement} */ (h("img", { class: "picture", alt: "" }));
let wanted = "";
let missed = 0;

const link = /** @type {HTMLAnchorElement} */ (h("a", { class: "wallet", hidden: true }));
const address = h("p", { class: "address", hidden: true });
const choice = h("div", { class: "choice", hidden: true });
const lost = h("div", { class: "lost", role: "alert", hidden: true });
const said = h("p", { class: "said", role: "status" });
const bell = h("button", { class: "sound", hidden: true, click: () => sound.wake() });

/** swap shows a newer picture once it is whole. @param {string} name */
async function swap(name) {
  wanted = name;
  const next = /** @type {HTMLImageElement} */ (h("img", { class: "picture", alt: "" }));
  next.src = "/display.png?" + name;
  try {
    await next.decode();
  } catch {
    if (wanted === name && missed++ < 5) setTimeout(() => swap(name), 400);
    else cover();
    return;
  }
  missed = 0;
  if (wanted !== name) return; // a newer one is on its way
  next.alt = shown.alt;
  shown.replaceWith(next);
  shown = next;
  document.body.style.background = ground(next);
  cover();
}

/** ground is the colour of the picture's corner: beside the picture it goes on. @param {HTMLImageElement} img */
function ground(img) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { width: 1, height: 1 }));
  const draw = canvas.getContext("2d");
  draw?.drawImage(img, 0, 0);
  const [r, g, b] = draw?.getImageData(0, 0, 1, 1).data ?? [255, 255, 255];
  return `rgb(${r} ${g} ${b})`;
}

/** cover hides amounts and codes while the till is not heard: an old code must not be paid. */
function cover() {
  const { view, online } = now();
  lost.hidden = online && !!view && missed === 0;
  shown.hidden = !lost.hidden;
  const open = online && view?.customer?.phase === "due" ? view.customer.link ?? "" : "";
  const safe = /^[a-z]+:[A-Za-z0-9?=&%.+:@_/-]+$/.test(open) && !/^(javascript|data|vbscript):/i.test(open);
  bell.hidden = !lost.hidden || !sound.silent() || (!!view && view.customer.phase !== "idle");
  link.hidden = !safe;
  if (safe) link.href = open;
  else link.removeAttribute("href");
  address.hidden = !online || view?.customer?.phase !== "due" || !view.customer.token || view.customer.qr.includes("?");
  address.textContent = address.hidden ? "" : view.customer.qr; // a phone cannot scan itself
}

let asked = ""; // the invitation that the rest is about
let coin = ""; // whose network is asked for
let choosing = false;
let refused = "";

/** choose sends what the customer tapped. @param {string} id @param {string} tender */
async function choose(id, tender) {
  if (choosing) return;
  choosing = true;
  refused = "";
  offer();
  const no = await send("POST", "/v1/choices", { id, tender }, newKey()).then(() => "", (e) => e instanceof Problem ? e.message || t("ui.offline") : "");
  if (asked !== id) return; // another one is invited meanwhile
  refused = no;
  choosing = false;
  offer();
}

/** offer asks for token and network while the cashier lets the customer choose. */
function offer() {
  const { view, online } = now();
  const c = online ? view?.choice : null;
  if (asked !== (c?.id ?? "")) {
    asked = c?.id ?? "";
    coin = refused = "";
    choosing = false;
  }
  choice.hidden = !c;
  paint(choice, [c, coin, choosing, refused], () => {
    if (!c) return [];
    const tokens = [...new Set(c.tenders.map((/** @type {any} */ x) => x.token))];
    const one = tokens.length === 1 ? String(tokens[0]) : coin;
    const of = (/** @type {any} */ name) => c.tenders.filter((/** @type {any} */ x) => x.token === name);
    const tap = (/** @type {string} */ name, /** @type {() => void} */ f) => h("button", { "data-key": "choose " + name, disabled: choosing, click: f }, name);
    const nets = of(one);
    return [
      h("p", { class: "money" }, money(c.due)),
      h("h1", {}, nets.length ? t("ui.choose_network", { token: one }) : t("ui.choose_coin")),
      h("p", {}, refused || (choosing ? t("ui.one_moment") : nets.length ? t("ui.choose_same") : "")),
      h("div", { class: "options" }, ...nets.length ? nets.map((/** @type {any} */ x) => tap(x.chain, () => choose(c.id, x.tender)))
        : tokens.map((n) => tap(String(n), () => { const all = of(n); if (all.length === 1) choose(c.id, all[0].tender); else { coin = String(n); offer(); } }))),
      nets.length && tokens.length > 1 ? h("button", { class: "back", disabled: choosing, click: () => { coin = ""; offer(); } }, t("ui.back")) : null];
  });
}

let was = "";

/** tell says in words, and by a chime, what the picture shows. */
function tell() {
  const { view } = now();
  if (!view) return;
  const c = view.customer;
  const phase = c.phase === "change" && !c.change?.minor ? "paid" : c.phase; // exact cash
  const word = { basket: "total", due: "to_pay", arriving: "arriving", paid: "paid", change: "change", refused: c.reason, checking: c.reason || "checking" }[/** @type {string} */ (phase)] ?? "welcome";
  const sum = { basket: c.total, due: c.due, paid: c.total, change: c.change }[/** @type {string} */ (phase)];
  const how = c.phase !== "due" ? "" : c.offline ? ". " + t("request_no", { ref: c.counter }) + ". " + t(c.other ? "offline_camera" : "offline_scan")
    : c.token ? `. ${c.quantity} ${t("on_chain", { chain: c.chain })}. ${t("evm_only", { token: c.token, chain: c.chain })}` : "";
  const text = t(word) + (sum ? " " + money(sum) : "") + how;
  if (said.textContent !== text) said.textContent = text;
  shown.alt = text;
  const over = phase === "paid" || phase === "change";
  const mark = over ? "over " + c.sale : c.phase;
  if (over && was && was !== mark) sound.paid();
  was = mark;
}

async function start() {
  for (;;) {
    try {
      await load();
      break;
    } catch {
      await new Promise((again) => setTimeout(again, 2000)); // the till is starting
    }
  }
  link.textContent = t("ui.display.wallet");
  lost.append(h("i", { class: "pulse" }), t("ui.display.lost"));
  bell.append(t("ui.display.sound"));
  document.body.append(shown, choice, address, link, bell, lost, said);
  sound.wake(); // a kiosk may; elsewhere a tap is needed
  document.addEventListener("pointerdown", () => sound.wake(cover), { signal: page.signal });
  connect("?part=customer&picture=display", swap);
  subscribe(() => { cover(); tell(); offer(); }, page);
}

start();
