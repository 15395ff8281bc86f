// @ts-check
// paper.js: shows the paper of a printer made of code, for trying the till out.

import { h } from "./dom.js";
import { connect, now, subscribe } from "./state.js";
import { load, t } from "./words.js";

const page = new AbortController();
const paper = /** @type {HTMLImageElement} */ (h("img", { hidden: true }));
const hint = h("p", { role: "status" });

/** swap shows newer paper, its end first. @param {string} name */
async function swap(name) {
  const next = new Image();
  next.src = "/paper.png?" + name;
  await next.decode();
  paper.src = next.src;
  paper.hidden = false;
  scrollTo(0, document.body.scrollHeight);
}

await load();
document.title = paper.alt = t("ui.paper");
document.body.append(hint, paper);
const signedIn = (await (await fetch("/v1/view")).json()).session;
if (signedIn) connect("?picture=paper", swap);
else hint.append(t("ui.problem.sign-in"), " ", h("a", { href: "/" }, t("ui.setup.cashier")));
subscribe(() => { hint.hidden = !!signedIn && now().online; if (signedIn) hint.textContent = t("ui.connecting"); }, page);
