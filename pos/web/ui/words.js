// @ts-check
// words.js: the words of the screens, in the shop's language.

import { speak } from "./money.js";
import { now } from "./state.js";

/** @type {Record<string, string>} */
let words = {};

/** load fetches the shop's words; a page waits for them before it shows anything. */
export async function load() {
  const res = await fetch("/v1/words");
  const page = await res.json();
  words = page.words;
  document.documentElement.lang = page.language;
  speak(page.language);
}

/**
 * t returns a word with {name}s filled in; a word that is missing is its key, so
 * that a button is never empty.
 * @param {string} key
 * @param {Record<string, string|number>} [fill]
 */
export function t(key, fill = {}) {
  let text = words[key] ?? key;
  for (const [name, value] of Object.entries(fill)) text = text.replaceAll("{" + name + "}", String(value));
  return text;
}

/** word returns a word, or undefined when there is none. @param {string} key */
export const word = (key) => words[key];

/** LONG words may be divided; shorter ones fit everywhere. */
const LONG = /\p{L}{11,}/gu;
const V = "[aeiouyà-æè-ïò-öø-ü]";
const SYLLABLE = new RegExp(`(?<=${V}\\p{L}+|^${V}\\p{L})((?:sch|ch|ck|ph|th|str|st|qu|[bcdfgkpt][lr]|[b-df-hj-np-tv-xzßñç])(?=${V}\\p{L}))`, "giu");

/** divided lets long words be divided where a syllable begins; not every browser knows how. @param {string} name */
export const divided = (name) => name.replace(LONG, (w) => w.replace(SYLLABLE, "\u00ad$1"));

/** tender names a way to pay; a stablecoin with its network, which its payment tells when the till takes it no more. @param {string} name @param {string} [network] */
export function tender(name, network) {
  const coin = now().view?.counter?.tenders.find((/** @type {any} */ x) => x.tender === name && x.token);
  return coin ? t("evm_on", { token: coin.token, chain: coin.chain }) : words[name] ?? words["ui.tender." + name] ?? (network || name.toUpperCase());
}
