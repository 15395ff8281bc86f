// @ts-check
// display.js: the customer's page. The picture comes drawn; this page swaps it
// without a flicker, and covers it when it may be old.

import { h } from "./dom.js";
import { money } from "./money.js";
import { connect, now, subscribe } from "./state.js";
import * as sound from "./sound.js";
import { load, t } from "./words.js";

const page = new AbortController();
let shown = /** @type {HTMLImageElement} */ (h("img", { class: "picture", alt: "" }));
let wanted = "";
let missed = 0;


const link = /** @type {HTMLAnchorElement} */ (h("a", { class: "wallet", hidden: true }));
const lost = h("div", { class: "lost", role: "alert", hidden: true });
const said = h("p", { class: "said", role: "status" });
const bell = h("button", { class: "sound", hidden: true, click: () => { sound.wake(); bell.hidden = true; } });

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
  const safe = /^[a-z]+:[A-Za-z0-9?=&%.+:@_-]+$/.test(open) && !/^(javascript|data|vbscript):/i.test(open);
  link.hidden = !safe;
  if (safe) link.href = open;
  else link.removeAttribute("href");
}

let was = "";

/** tell says in words, and by a chime, what the picture shows. */
function tell() {
  const { view } = now();
  if (!view) return;
  const c = view.customer;
  const word = { basket: "total", due: "to_pay", arriving: "arriving", paid: "paid", change: "change", refused: c.reason, checking: "checking" }[/** @type {string} */ (c.phase)] ?? "welcome";
  const sum = { basket: c.total, due: c.due, paid: c.total, change: c.change }[/** @type {string} */ (c.phase)];
  const how = c.phase === "due" && c.offline ? ". " + c.counter + ". " + t(c.other ? "offline_camera" : "offline_scan") : "";
  const text = t(word) + (sum ? " " + money(sum) : "") + how;
  if (said.textContent !== text) said.textContent = text;
  shown.alt = text;
  const over = c.phase === "paid" || c.phase === "change";
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
  document.body.append(shown, link, lost, said, bell);
  sound.wake(); // a kiosk may; elsewhere a tap is needed
  bell.hidden = !sound.silent();
  document.addEventListener("pointerdown", () => { sound.wake(); bell.hidden = true; }, { signal: page.signal });
  connect("?part=customer&picture=display", swap);
  subscribe(() => { cover(); tell(); }, page);
}

start();
