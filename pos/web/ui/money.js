// @ts-check
// money.js: writes money for people. Amounts come and go as strings of minor
// units; nothing is added, multiplied or rounded here.

/** @typedef {{minor: string, decimals: number, currency: string}} Amount */

/** A point set into a string of digits: ("1250", 2) is "12.50". @param {string} minor @param {number} decimals */
export function point(minor, decimals) {
  const sign = minor.startsWith("-") ? "-" : "";
  const digits = minor.slice(sign.length).padStart(decimals + 1, "0");
  if (!decimals) return sign + digits;
  return sign + digits.slice(0, -decimals) + "." + digits.slice(-decimals);
}

let locale = "en";
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** speak sets the language that numbers are written in. @param {string} language */
export function speak(language) {
  locale = language;
  formats.clear();
}

/** @param {string} currency @param {number} decimals */
function format(currency, decimals) {
  const name = currency + decimals;
  let f = formats.get(name);
  if (!f) {
    f = new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(name, f);
  }
  return f;
}

/** money writes an amount with its currency: "€12.50". @param {Amount|undefined|null} a */
export function money(a) {
  if (!a || !a.currency) return "–";
  // A string, not a number: 9007199254740993 cents must come out as such.
  return format(a.currency, a.decimals).format(/** @type {any} */ (point(a.minor, a.decimals)));
}

/** bare writes an amount without its currency: "12.50". @param {Amount} a */
export function bare(a) {
  return format(a.currency, a.decimals).formatToParts(/** @type {any} */ (point(a.minor, a.decimals)))
    .filter((p) => p.type !== "currency" && p.type !== "literal").map((p) => p.value).join("");
}

/** note writes an amount without decimals when there are only noughts: "€50". @param {Amount} a */
export function note(a) {
  const whole = a.decimals && a.minor.endsWith("0".repeat(a.decimals)) && a.minor.length > a.decimals;
  return whole ? format(a.currency, 0).format(/** @type {any} */ (a.minor.slice(0, -a.decimals))) : money(a);
}

/** more says whether a is the larger one; both are of one currency and not negative. @param {Amount} a @param {Amount} b */
export const more = (a, b) => a.minor.length - b.minor.length > 0 || (a.minor.length === b.minor.length && a.minor > b.minor);

/** zero says whether there is no money in it. @param {Amount|undefined|null} a */
export const zero = (a) => !a || /^-?0*$/.test(a.minor);

/** qty writes thousandths: 2000 is "2", 1250 is "1.25". @param {number} thousandths */
export function qty(thousandths) {
  const text = point(String(thousandths), 3).replace(/\.?0+$/, "");
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 3, useGrouping: false }).format(/** @type {any} */ (text));
}

/** exactly writes "1234.3401 USDC" as somebody types it: with every digit, and nothing between thousands. @param {string} text */
export function exactly(text) {
  const [n, ...unit] = text.split(" ");
  return new Intl.NumberFormat(locale, { minimumFractionDigits: n.split(".")[1]?.length ?? 0, maximumFractionDigits: 18, useGrouping: false }).format(/** @type {any} */ (n)) + " " + unit.join(" ");
}

/** quantity writes what a rail moves: "20340 sat". @param {any} q */
export function quantity(q) {
  if (!q?.asset) return "";
  const text = point(q.units, q.asset.decimals).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 18 }).format(/** @type {any} */ (text)) + " " + q.asset.symbol;
}
