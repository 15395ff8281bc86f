// @ts-check
// head.js: <till-head> who is here, and how far the records are safe.

import { dialog, h, icon, paint } from "../dom.js";
import { TillElement } from "../element.js";
import { money, zero } from "../money.js";
import { now, till } from "../state.js";
import { t, tender, word } from "../words.js";

/** MACHINES stand on the counter: somebody there can mend them. */
const MACHINES = /^(printer|display|drawer)/;

/** named says what a link leads to, "printer Kitchen" by its first word; rails go by their tender. @param {string} name */
export const named = (name) => {
  const [kind, ...own] = name.split(" ");
  const machine = word("ui.link." + kind);
  return machine ? [machine, ...own].join(" ") : tender(name);
};

/** amiss tells that somebody should see to a link. @param {any} l */
const amiss = (l) => l.state === "offline" || l.state === "open";

/** CHECK are links that stop no sale: what to do about them. @type {Record<string, string>} */
const CHECK = { clock: "ui.check_clock", screens: "ui.check_screens" };

const ROOM = 14; // letters of a line of the pill, for the names of what is down

/** cut says what links that are down mean for selling: their names as far as there is room, and how many more. @param {any[]} tenders @param {any[]} down */
function cut(tenders, down) {
  const [link] = down;
  const others = tenders.filter((x) => x.tender !== "cash");
  if (others.some((x) => x.offline?.now)) return t("ui.offline_selling");
  if (CHECK[link.name]) return t(CHECK[link.name]);
  if (!others.some((x) => x.ready)) return t("ui.offline_cash_ok");
  const list = down.filter((l) => !CHECK[l.name]);
  const names = [...new Set(list.map((l) => (list.length > 1 && tenders.find((x) => x.tender === l.name && x.token)?.chain) || named(l.name)))];
  const told = names.filter((_, i) => !i || names.slice(0, i + 1).join(", ").length <= ROOM);
  return told.join(", ") + (told.length < names.length ? " +" + (names.length - told.length) : "") + ": " + t("ui.link_" + link.state);
}

/** @param {any} v @param {boolean} online */
function standing(v, online) {
  const { sync, links } = v.counter;
  const unproven = v.counter.tenders.find((/** @type {any} */ x) => x.offline?.sales)?.offline.sales;
  const off = links.filter((/** @type {any} */ l) => amiss(l) && (sync.enrolled || l.name !== "backoffice"))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => Number(!!CHECK[a.name]) - Number(!!CHECK[b.name]));
  if (!online) return { shape: "triangle", word: t("ui.no_till"), look: "bad" };
  if (sync.trouble) return { shape: "square", word: t("ui.action_needed"), look: "bad" };
  const machine = off.find((/** @type {any} */ l) => MACHINES.test(l.name));
  if (machine) return { shape: "square", word: named(machine.name) + ": " + t("ui.link_" + machine.state), look: "bad" };
  if (off.length) return { shape: "triangle", word: cut(v.counter.tenders, off), look: "warn" };
  if (unproven) return { shape: "dot", word: t("ui.to_confirm_n", { n: unproven }), look: "plain" };
  if (!sync.enrolled) return { shape: "dot", word: t("ui.on_this_till"), look: "plain" };
  if (sync.waiting) return { shape: "dot", word: t("ui.waiting_n", { n: sync.waiting }), look: "plain" };
  return { shape: "check", word: t("ui.all_safe"), look: "good" };
}

/** age writes how long ago something was, roughly. @param {string} at */
export function age(at) {
  const minutes = Math.max(0, Math.floor((till() - Date.parse(at)) / 60_000));
  if (minutes < 1) return t("ui.just_now");
  return minutes < 60 ? t("ui.minutes", { n: minutes }) : t("ui.hours", { n: Math.floor(minutes / 60) });
}

/** details opens the sheet behind the pill. */
function details() {
  const { counter, software } = now().view;
  const { sync, links } = counter;
  const rows = links.map((/** @type {any} */ l) => h("li", { class: "row" },
    h("span", { class: "state " + l.state }, icon(l.state === "online" ? "check" : amiss(l) ? "triangle" : "dot")),
    h("span", { class: "grow" }, h("b", {}, named(l.name)), l.detail ? h("small", {}, l.detail) : null),
    h("span", {}, t("ui.link_" + l.state))));
  const far = sync.enrolled ? t("ui.safe_to", { n: sync.safe_to }) : t("ui.not_enrolled");
  const waits = sync.enrolled && sync.waiting ? t("ui.waiting_more", { n: sync.waiting, sales: sync.sales, amount: zero(sync.amount) ? "–" : money(sync.amount), age: sync.oldest ? age(sync.oldest) : "–" }) : null;
  const unproven = counter.tenders.filter((/** @type {any} */ x) => x.offline?.sales && x === counter.tenders.find((/** @type {any} */ y) => y.offline?.sales && !!y.token === !!x.token)) // all tokens' limits are one
    .map((/** @type {any} */ x) => h("p", {}, t("ui.offline_open", { tender: x.token ? t("ui.unverified") : tender(x.tender), n: x.offline.sales, amount: money(x.offline.amount), age: age(x.offline.oldest) })));
  dialog(t("ui.status"), t("ui.close"),
    sync.trouble ? h("p", { class: "alarm" }, icon("square"), sync.trouble) : null,
    h("p", { class: "lead" }, far), waits ? h("p", {}, waits) : null, ...unproven,
    h("ul", { class: "rows" }, ...rows), h("p", { class: "soft" }, t("ui.software", { version: software })));
}

customElements.define("till-head", class extends TillElement {
  #who = h("button", { class: "who", click: () => document.dispatchEvent(new Event("lock")) });
  #pill = h("button", { class: "pill", click: details });

  draw() {
    const { view, online } = now();
    if (!view?.counter) return;
    const s = standing(view, online);
    const who = view.session.actor.name;
    if (!this.firstChild) this.append(this.#who, this.#pill);
    this.#who.setAttribute("aria-label", t("ui.lock_named", { name: who }));
    paint(this.#who, who, () => [icon("lock"), h("span", {}, who)]);
    this.#pill.className = "pill " + s.look;
    paint(this.#pill, s, () => [icon(/** @type {any} */ (s.shape)), h("span", {}, s.word)]);
  }
});
