// @ts-check
// paper.js: shows the paper of a printer made of code, for trying the till out.

import { h } from "./dom.js";
import { connect, now, subscribe } from "./state.js";
import { load, t } from "./words.js";

const page = new AbortController();
const paper = /** @type {HTMLImageElement} */ (h("img", { hidden: true }));
/** BLANK is how much paper, in dots, hangs out of a printer that has printed nothing. */
const BLANK = 60;

let printed = false;
let wanted = "";
let signedIn = /** @type {any} */ (null);
const hint = h("p", { role: "status" });

/** swap shows newer paper, its end first. @param {string} name */
async function swap(name) {
  wanted = name;
  const next = new Image();
  next.src = "/paper.png?" + name;
  await next.decode().catch(() => { wanted = ""; }); // the next one comes
  if (wanted !== name) return;
  printed = next.naturalHeight > BLANK;
  paper.src = next.src;
  paper.hidden = !printed;
  tell();
  scrollTo(0, document.body.scrollHeight);
}

/** tell says why there is no paper. */
function tell() {
  hint.hidden = !!signedIn && now().online && printed;
  if (signedIn) hint.textContent = t(now().online ? "ui.paper_none" : "ui.connecting");
}

await load();
document.title = paper.alt = t("ui.paper");
document.body.append(hint, paper);
signedIn = (await (await fetch("/v1/view")).json()).session;
if (signedIn) connect("?picture=paper", swap);
else hint.append(t("ui.problem.sign-in"), " ", h("a", { href: "/" }, t("ui.setup.cashier")));
subscribe(tell, page);
