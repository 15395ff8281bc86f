// @ts-check
// state.js: the till's newest state, and the only one this page knows. Elements
// subscribe; none of them fetches it.

/** A screen that heard nothing for so long has lost the till: two beats and a bit. */
const SILENCE = 12_000;
const AGAIN = 1_500;

const listeners = new Set();
/** @type {any} */
let view = null;
let online = false;
let ahead = 0; // milliseconds that the till's clock is ahead of this one
let heard = 0;
/** @type {EventSource|null} */
let source = null;
let software = "";
let query = "";

/** What the page shows now: the view (null before the first), and whether the line to the till is up. */
export const now = () => ({ view, online });

/** till returns the till's own time, by which payments expire. */
export const till = () => Date.now() + ahead;

/**
 * subscribe calls f now and after every change, until signal ends it.
 * @param {() => void} f
 * @param {{signal: AbortSignal}} o
 */
export function subscribe(f, { signal }) {
  listeners.add(f);
  signal.addEventListener("abort", () => listeners.delete(f));
  f();
}

/** changed tells everybody. */
export function changed() {
  for (const f of listeners) f();
}

/** @param {boolean} up */
function line(up) {
  if (up === online) return;
  online = up;
  changed();
}

/** @type {(name: string) => void} */
let onPicture = () => {};

/**
 * connect follows the till's events; call it again after signing in or out.
 * @param {string} [ask] query of the stream
 * @param {(name: string) => void} [picture] called with the name of each newer picture
 */
export function connect(ask = query, picture = onPicture) {
  query = ask;
  onPicture = picture;
  source?.close();
  heard = Date.now();
  const stream = new EventSource("/v1/events" + ask);
  source = stream;
  stream.onmessage = (e) => {
    if (stream !== source) return;
    heard = Date.now();
    view = JSON.parse(e.data);
    if (software && view.software !== software) return location.reload(); // the till was updated: so must the page be
    software = view.software;
    online = true;
    changed();
  };
  stream.addEventListener("beat", (e) => {
    if (stream !== source) return;
    heard = Date.now();
    ahead = Date.parse(JSON.parse(e.data).now) - Date.now();
    if (view) line(true);
  });
  stream.addEventListener("picture", (e) => onPicture(JSON.parse(e.data).name));
  stream.onerror = () => { if (stream === source) line(false); };
}

// The browser notices a cable that was pulled after minutes only, and gives up for
// good when it was refused once.
setInterval(() => {
  if (!source) return;
  const dead = Date.now() - heard > SILENCE;
  if (dead) line(false);
  if (dead || source.readyState === EventSource.CLOSED) connect();
}, AGAIN);
