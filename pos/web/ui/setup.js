// @ts-check
// setup.js: the first day: the owner's name and PIN, the head office, and where
// the screens are.

import "./elements/pin.js";
import { get, newKey, once, Problem, send } from "./api.js";
import { h, icon } from "./dom.js";
import { field, officeForm } from "./menu.js";
import * as sound from "./sound.js";
import { load, t } from "./words.js";

const main = h("main");
const STEPS = 3;

/** show puts one step on the page. @param {number} step @param {string} title @param {...(Node|string|null)} content */
function show(step, title, ...content) {
  main.replaceChildren(h("div", { class: "progress", "aria-hidden": "true" }, ...Array.from({ length: STEPS }, (_, i) => h("i", { class: i <= step ? "on" : "" }))), h("h1", {}, title), ...content.filter((c) => c !== null));
}

/** owner asks who owns the shop, and for the PIN twice; from another machine also for the code. @param {boolean} coded */
function owner(coded) {
  const code = field(t("ui.setup.code"), { maxlength: "20", autocapitalize: "characters", spellcheck: "false" });
  const name = field(t("ui.name"), { maxlength: "40" });
  name.input.value = t("ui.role.owner");
  const pad = /** @type {any} */ (document.createElement("till-pin"));
  const hint = h("p", { class: "hint", role: "status" }, t("ui.setup.choose_pin"));
  let first = "";
  let made = ""; // the owner whom the till has, although it did not sign him in yet
  /** @param {string} word @param {boolean} [wrong] */
  const say = (word, wrong = false) => {
    hint.className = wrong ? "hint wrong" : "hint";
    hint.textContent = word;
    pad.clear(wrong);
    if (wrong) sound.wrong();
  };
  pad.addEventListener("pin", async (/** @type {CustomEvent} */ e) => {
    const pin = e.detail;
    if (!first) {
      first = pin;
      return say(t("ui.pin_again"));
    }
    const same = first === pin;
    first = "";
    if (!same) return say(t("ui.pin_differs"), true);
    say(t("ui.one_moment"));
    try {
      if (!made) {
        const who = await once("POST", "/v1/set-ups", { name: name.input.value.trim(), pin, ...(coded ? { code: code.input.value } : {}) });
        if (!who) return;
        made = who.id;
      }
      await send("POST", "/v1/sessions", { actor: made, pin }, newKey());
      office();
    } catch (err) {
      if (!(err instanceof Problem)) throw err;
      say(err.status === 0 ? t("ui.offline") : err.message, true);
    }
  });
  document.onkeydown = (e) => { if (!(/** @type {HTMLElement} */ (e.target).closest("input, button"))) pad.key(e); };
  show(0, t("ui.setup.title"), h("div", { class: "two" },
    h("div", { class: "stack" }, h("p", { class: "lead" }, t("ui.setup.owner")), h("p", { class: "soft" }, t("ui.setup.owner_why")), name.row,
      ...(coded ? [code.row, h("p", { class: "soft" }, t("ui.setup.code_why"))] : [])),
    h("div", { class: "pinbox" }, hint, pad)));
}

/** office offers to bind the till to its head office. */
function office() {
  document.onkeydown = null;
  const form = officeForm();
  form.addEventListener("submit", () => { later.replaceChildren(t("ui.setup.start"), icon("next")); });
  const later = h("button", { class: "wide", click: ready }, t("ui.setup.later"), icon("next"));
  show(1, t("ui.setup.office"), h("p", { class: "soft" }, t("ui.setup.office_why")), form, later);
}

/** ready says where the screens are. */
function ready() {
  const at = (/** @type {string} */ path, /** @type {string} */ word) => h("a", { href: path }, h("span", {}, word), h("b", {}, location.origin + path));
  show(2, t("ui.setup.ready"), h("p", { class: "soft" }, t("ui.setup.ready_why")),
    h("div", { class: "addresses" }, at("/", t("ui.setup.cashier")), at("/display", t("ui.customer_screen"))),
    h("button", { class: "wide go", click: () => location.assign("/") }, t("ui.setup.start"), icon("next")));
}

async function start() {
  await load();
  document.title = t("ui.setup.title");
  document.addEventListener("pointerdown", sound.wake);
  document.body.append(main);
  const { staff, code_needed } = await get("/v1/staff");
  if (!staff.length) return owner(code_needed === true);
  show(2, t("ui.setup.done"), h("button", { class: "wide go", click: () => location.assign("/") }, t("ui.setup.start"), icon("next")));
}

start();
