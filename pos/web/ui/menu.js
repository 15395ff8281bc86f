// @ts-check
// menu.js: what is needed less often than a sale: the drawer, copies, people, the
// head office, help.

import { get, once, Problem } from "./api.js";
import { dialog, h, icon } from "./dom.js";
import { act, busy, covers, fail, trusted } from "./local.js";
import { named } from "./elements/head.js";
import { money } from "./money.js";
import { now } from "./state.js";
import { tender, t } from "./words.js";

/** @param {string} title @param {...(Node|string|null|false)} content */
const sheet = (title, ...content) => dialog(title, t("ui.close"), ...content);

/** noSale opens the drawer without a sale, for a reason that is kept. */
export function noSale() {
  const open = async (/** @type {Event} */ e, /** @type {string} */ reason) => busy(e, async () => { if (await act("POST", "/v1/drawer-openings", { reason })) box.close(); });
  const other = /** @type {HTMLInputElement} */ (h("input", { maxlength: "100", autocomplete: "off", "aria-label": t("ui.other_reason") }));
  other.placeholder = t("ui.other_reason");
  const box = sheet(t("ui.open_drawer"), h("p", {}, t("ui.open_drawer_why")), h("div", { class: "menu" },
    ...["ui.reason.change", "ui.reason.check", "ui.reason.mistake", "ui.reason.supplies"].map((r) => h("button", { class: "wide", click: (/** @type {Event} */ e) => open(e, t(r)) }, t(r)))),
  h("form", { class: "inline", submit: (/** @type {Event} */ e) => { e.preventDefault(); if (other.value.trim()) open(e, other.value.trim()); } }, other, h("button", { class: "wide", type: "submit" }, icon("drawer"), t("ui.open"))));
}

/** where prints on the printer that is chosen, where there are several. @param {string} title @param {string[][]} list names, and what is read for each @param {(printer?: string) => Promise<any>} print */
async function where(title, list, print) {
  if (list.length < 2) return print(list[0]?.[0]);
  const box = sheet(title, h("div", { class: "menu" },
    ...list.map(([name, word]) => h("button", { class: "wide", "data-key": "to " + name, click: (/** @type {Event} */ e) => busy(e, async () => { if (await print(name)) box.close(); }) }, icon("printer"), word))));
}

/** printOrder prints what kitchen and bar were told of a sale once more. @param {any} sale */
export function printOrder(sale) {
  const names = sale.tickets.map((/** @type {any} */ x) => [x.printer, x.printer]);
  return where(t("ui.order_of", { ref: sale.ref }), names.length < 2 ? [] : [["", t("ui.all_printers")], ...names], (printer) => act("POST", `/v1/sales/${sale.id}/reprints`, { ticket: true, printer: printer || undefined }));
}

/** printers are those of the till as the API has them, each with its name for people. @param {any} counter @returns {string[][]} */
const printers = ({ links }) => links.filter((/** @type {any} */ l) => /^printer( |$)/.test(l.name)).map((/** @type {any} */ l) => [l.name.slice(8), named(l.name)]);

/** ordered is the sale whose order can be printed once more: the one at the counter, if anybody was told of it, else the last one. @param {any} counter */
const ordered = ({ current, last_done }) => [current?.state !== "draft" ? current : null, last_done].find((s) => s?.tickets?.length);

/** menu opens the sheet of everything else. */
export function menu() {
  const { counter, session } = now().view;
  const role = session.actor.role;
  /** @param {any} name @param {string} word @param {() => any} f @param {string} [off] @param {string} [key] */
  const entry = (name, word, f, off = "", key = "") => h("button", { class: "wide", ...(key ? { "data-key": key } : {}), disabled: !!off, click: () => { box.close(); f(); } }, icon(name), h("span", {}, word, off ? h("small", {}, off) : null));
  const box = sheet(t("ui.more"), h("div", { class: "menu" },
    entry("printer", t("ui.print_last"), () => act("POST", `/v1/sales/${counter.last_done.id}/reprints`, {}), counter.last_done ? "" : t("ui.none_yet")),
    ordered(counter) ? entry("receipt", t("ui.print_order"), () => printOrder(ordered(counter))) : null,
    entry("receipt", t("ui.receipts"), receipts),
    entry("drawer", t("ui.open_drawer"), noSale),
    entry("screen", t("ui.customer_screen"), () => open("/display", "display")),
    ...counter.tenders.filter((/** @type {any} */ x) => x.offline?.off).map((/** @type {any} */ x) => entry("warn", t("ui.allow_unverified", { tender: tender(x.tender) }), () => allow(x), role === "cashier" ? t("ui.manager_needed") : "", "allow " + x.tender)),
    ...(counter.destinations ?? []).map((/** @type {any} */ x) => entry("warn", t("ui.confirm_destination", { network: x.network }), () => confirm(x), role === "cashier" ? t("ui.manager_needed") : "", "confirm " + x.name)),
    ...pegs(counter.tenders).map((x) => entry("warn", t(x.peg.until ? "ui.disallow_token" : "ui.allow_token", { token: x.token, price: x.peg.price + " " + x.peg.in }), () => pegged(x), role === "cashier" ? t("ui.manager_needed") : "", "peg " + x.token)),
    entry("people", t("ui.staff"), people, role === "cashier" ? t("ui.manager_needed") : ""),
    entry("office", t("ui.head_office"), office, role === "owner" ? "" : t("ui.owner_needed")),
    printers(counter).length ? entry("printer", t("ui.test_page"), () => where(t("ui.test_page"), printers(counter), (printer) => act("POST", "/v1/test-pages", { printer })), role === "cashier" ? t("ui.manager_needed") : "", "test") : null,
    entry("help", t("ui.keys"), keys),
    entry("lock", t("ui.lock"), () => document.dispatchEvent(new Event("lock")))));
}

/** when writes a time as the shop's receipts do, 2026-07-02 00:30, wherever this page is. Swedes write it so. @param {string} at */
function when(at) {
  const form = { dateStyle: /** @type {const} */ ("short"), timeStyle: /** @type {const} */ ("short") };
  try {
    return new Date(at).toLocaleString("sv-SE", { ...form, timeZone: now().view.shop.zone });
  } catch {
    return new Date(at).toLocaleString("sv-SE", form); // a zone that this browser does not know
  }
}

/** receipts lists completed sales, newest first, page by page. */
async function receipts() {
  const list = h("ul", { class: "rows" });
  const more = h("button", { class: "wide", click: (/** @type {Event} */ e) => busy(e, page) }, t("ui.earlier"));
  let cursor = "";
  const page = async () => {
    const got = await get("/v1/sales?limit=12" + (cursor ? "&cursor=" + encodeURIComponent(cursor) : "")).catch(fail);
    if (!got) return box.close();
    list.append(...got.sales.map((/** @type {any} */ s) => h("li", { class: "row" },
      h("span", { class: "grow" }, h("b", {}, s.receipt), h("small", {}, when(s.completed) + " · " + s.by.name + " · " +
        [...new Set((s.payments ?? []).filter(covers).map((/** @type {any} */ p) => tender(p.tender, p.network) + (p.state === "accepted" ? " (" + t("ui.offline_mark") + ")" : trusted(p) ? " (" + t("ui.unverified").toLowerCase() + ")" : "")))].join(", "))),
      h("span", { class: "money" }, money(s.totals.total)),
      h("button", { class: "step", "aria-label": t("ui.print_named", { name: s.receipt }), click: (/** @type {Event} */ e) => busy(e, () => act("POST", `/v1/sales/${s.id}/reprints`, {})) }, icon("printer")))));
    cursor = got.next ?? "";
    more.hidden = !cursor;
    if (!list.children.length) list.append(h("li", { class: "row" }, t("ui.none_yet")));
  };
  more.hidden = true;
  const box = sheet(t("ui.receipts"), list, more); // at once: late, it would lie over what is done by then
  await page();
}

/** allow lets a tender be taken unverified again, which a loss had switched off: that is read first. @param {any} x */
function allow(x) {
  const word = t("ui.allow_unverified", { tender: tender(x.tender) });
  const box = sheet(word, h("p", {}, x.offline.off), h("p", { class: "hint" }, t("ui.allow_unverified_why")), h("div", { class: "menu" },
    h("button", { class: "wide", "data-key": "allow", click: (/** @type {Event} */ e) => busy(e, async () => { if (await act("POST", `/v1/tenders/${x.tender}/unverified`, {})) box.close(); }) }, word)));
}

/** pegs are tokens that are off their value, each once. @param {any[]} tenders @returns {any[]} */
const pegs = (tenders) => tenders.filter((x, i) => x.peg?.price && tenders.findIndex((y) => y.token === x.token && y.peg?.price) === i);

/** pegged takes a token that is off its value at the price that is shown, or stops that. @param {any} x */
function pegged(x) {
  const { price, in: currency, until } = x.peg;
  const at = price + " " + currency;
  const word = t(until ? "ui.disallow_token" : "ui.allow_token", { token: x.token, price: at });
  const box = sheet(word, h("p", {}, until ? x.notice || x.reason : t("ui.allow_token_why", { token: x.token, price: at, hours: 8 })), h("div", { class: "menu" },
    h("button", { class: "wide", "data-key": "allow", click: (/** @type {Event} */ e) => busy(e, async () => { if (await act("POST", `/v1/tokens/${x.token}/allowance`, until ? { off: true } : { price })) box.close(); }) }, word)));
}

/** confirm lets money go to an address that was changed: both are read whole first. @param {any} x */
function confirm(x) {
  const whole = (/** @type {string} */ a) => h("p", { class: "address" }, h("b", {}, a.slice(0, 8)), a.slice(8, -6), h("b", {}, a.slice(-6)));
  const box = sheet(t("ui.confirm_destination", { network: x.network }), h("p", {}, x.why), whole(x.address), h("p", { class: "hint" }, t("ui.confirm_destination_why")), h("div", { class: "menu" },
    h("button", { class: "wide", "data-key": "confirm", click: (/** @type {Event} */ e) => busy(e, async () => { if (await act("POST", `/v1/destinations/${x.name}/confirmations`, { address: x.address })) box.close(); }) }, t("ui.confirm_address", { address: x.address.slice(0, 8) + "…" + x.address.slice(-6) }))));
}

/** is says what money is that somebody must decide about. @param {any} r */
const is = (r) => (r.kind === "network" || r.kind === "coin") ? (r.on ? t("ui.owed_is." + r.kind, { on: r.on, of: r.of, asked: r.asked }) : r.why) : t("ui.owed_is." + (r.kind || "late"));

/** worth is what money was asked for in the shop's currency, which money that nobody asked for has not. @param {any} r */
const worth = (r) => r.amount.minor === "0" ? "" : money(r.amount);

/** owed lists money that no open sale needed, or that came astray, and lets a manager decide about it. */
export function owed() {
  const { counter, session } = now().view;
  const may = session.actor.role !== "cashier";
  /** decide is about what was read here; when more of it came since, the list is to be opened anew. @param {any} r @param {string} as @param {string} note */
  const decide = (r, as, note) => act("POST", `/v1/refunds/${r.payment}/decisions`, { as, note, came: r.exact });
  const box = sheet(t("ui.owed"), h("p", {}, t("ui.owed_why")), may ? null : h("p", { class: "hint" }, t("ui.manager_needed")),
    h("ul", { class: "rows" }, ...counter.refunds.map((/** @type {any} */ r) => h("li", { class: "row owed" },
      h("span", { class: "grow" }, h("b", {}, r.came), h("small", {}, is(r)), h("small", {}, [r.of, r.on || tender(r.tender), when(r.at)].filter(Boolean).join(" · "))),
      h("span", { class: "money" }, worth(r)),
      may ? h("div", { class: "menu" }, h("button", { class: "wide", "data-key": "back", click: () => { box.close(); back(r, decide); } }, t("ui.given_back")),
        r.sells ? h("button", { class: "wide", "data-key": "sell", click: (/** @type {Event} */ e) => busy(e, async () => { await decide(r, "as sale", ""); box.close(); }) }, t(r.kind ? "ui.take_as_paid" : "ui.sell_after")) : null) : null))));
}

/** back asks how money was given back: that is kept. @param {any} r @param {(r: any, as: string, note: string) => Promise<any>} decide */
function back(r, decide) {
  const give = (/** @type {Event} */ e, /** @type {string} */ note) => busy(e, async () => { await decide(r, "given back", note); box.close(); });
  const other = /** @type {HTMLInputElement} */ (h("input", { maxlength: "100", autocomplete: "off", "aria-label": t("ui.back.other") }));
  other.placeholder = t("ui.back.other");
  const box = sheet(t("ui.how_back"), h("p", {}, [worth(r), r.came].filter(Boolean).join(" · ")), h("div", { class: "menu" },
    ...["ui.back.cash", "ui.back.owner"].map((w) => h("button", { class: "wide", click: (/** @type {Event} */ e) => give(e, t(w)) }, t(w)))),
  h("form", { class: "inline", submit: (/** @type {Event} */ e) => { e.preventDefault(); if (other.value.trim()) give(e, other.value.trim()); } }, other, h("button", { class: "wide", type: "submit" }, t("ui.given_back"))));
}

/** @param {string} word @param {Record<string, any>} props */
export function field(word, props) {
  const input = /** @type {HTMLInputElement} */ (h("input", { autocomplete: "off", required: true, ...props }));
  return { input, row: h("label", { class: "field" }, h("span", {}, word), input) };
}

/** form sends its fields and says what came of it. @param {(Node|string)[]} rows @param {string} word @param {() => Promise<string>} f what to do; it returns what to say */
export function form(rows, word, f) {
  const said = h("p", { class: "hint", role: "status" });
  const go = /** @type {HTMLButtonElement} */ (h("button", { class: "wide go", type: "submit" }, word));
  return h("form", { class: "stack", submit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    go.disabled = true;
    said.className = "hint";
    said.textContent = t("ui.one_moment");
    try {
      said.textContent = await f();
      said.className = "hint fine";
    } catch (err) {
      if (!(err instanceof Problem)) throw err;
      said.className = "hint wrong";
      said.textContent = err.status === 0 ? t("ui.offline") : err.message;
    } finally {
      go.disabled = false;
    }
  } }, ...rows, said, go);
}

/** people lists who may use the till, and adds to them. */
async function people() {
  const list = h("ul", { class: "rows" });
  const show = (/** @type {any[]} */ staff) => list.replaceChildren(...staff.map((s) => h("li", { class: "row" }, h("span", { class: "grow" }, h("b", {}, s.name)), t("ui.role." + s.role))));
  const again = () => get("/v1/staff").then((got) => show(got.staff), fail);
  again();
  const name = field(t("ui.name"), { maxlength: "40" });
  const pin = field(t("ui.pin"), { type: "password", inputmode: "numeric", pattern: "[0-9]{4,12}", autocomplete: "new-password" });
  const role = /** @type {HTMLSelectElement} */ (h("select", {}, ...["cashier", "manager", "owner"].map((r) => h("option", { value: r }, t("ui.role." + r)))));
  sheet(t("ui.staff"), list, h("h3", {}, t("ui.add_person")), form([name.row, h("label", { class: "field" }, h("span", {}, t("ui.role")), role), pin.row], t("ui.add_person"), async () => {
    const sent = [name.input, pin.input].map((input) => ({ input, value: input.value }));
    const who = await once("POST", "/v1/staff", { name: name.input.value.trim(), role: role.value, pin: pin.input.value });
    for (const { input, value } of sent) if (input.value === value) input.value = ""; // else the next person is being typed
    await again();
    return t("ui.added", { name: who.name });
  }));
}

/** officeForm binds the till to its head office. */
export function officeForm() {
  const url = field(t("ui.office_url"), { type: "url", inputmode: "url" });
  url.input.placeholder = "https://";
  const code = field(t("ui.office_code"), { autocapitalize: "characters", spellcheck: "false" });
  return form([url.row, code.row], t("ui.enrol"), async () => {
    await once("POST", "/v1/enrolments", { url: url.input.value.trim(), code: code.input.value.trim() });
    return t("ui.enrolled");
  });
}

function office() {
  const { sync } = now().view.counter;
  sheet(t("ui.head_office"), h("p", { class: "lead" }, sync.enrolled ? t("ui.safe_to", { n: sync.safe_to }) : t("ui.not_enrolled")), officeForm());
}

/** keys explains the keyboard. */
export function keys() {
  const rows = [["0 – 9", "ui.key.digits"], ["*", "ui.key.times"], ["Enter", "ui.key.enter"], ["/", "ui.key.search"], ["F12  +", "ui.key.pay"], ["Del", "ui.key.del"], ["F6", "ui.key.aside"], ["Shift F6", "ui.key.open"], ["F4", "ui.key.lock"], ["Esc", "ui.key.esc"], ["F1", "ui.key.help"]];
  sheet(t("ui.keys"), h("p", {}, t("ui.keys_scan")), h("ul", { class: "rows" }, ...rows.map(([k, w]) => h("li", { class: "row" }, h("kbd", {}, k), h("span", { class: "grow" }, t(w))))));
}
