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
let told = 0;
let beat = { till: Date.now(), here: performance.now() }; // the till's time when it last told it, and this page's
let heard = { wall: 0, mono: 0 };
/** @type {EventSource|null} */
let source = null;
let software = "";
let query = "";

/** What the page shows now: the view (null before the first), whether the line to the till is up, and how often the till has told. */
export const now = () => ({ view, online, told });

/** till returns the till's own time, by which payments expire. It goes on by a clock that nobody sets. */
export const till = () => beat.till + performance.now() - beat.here;

const hear = () => { heard = { wall: Date.now(), mono: performance.now() }; };

/** quiet is for how many ms nothing was heard. The wall clock may be set; the other one may stand still while the device sleeps. */
const quiet = () => Math.max(Date.now() - heard.wall, performance.now() - heard.mono);

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

/**
 * until resolves when yes holds of the state, or after within ms. The till answers
 * before it tells of its new state, or after, as it happens: who acts on an answer
 * waits for both.
 * @param {() => boolean} yes @param {number} within
 */
export const until = (yes, within) => new Promise((done) => {
  const over = new AbortController();
  const end = () => { over.abort(); done(yes()); };
  setTimeout(end, within);
  subscribe(() => { if (yes()) end(); }, { signal: over.signal });
});

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
  hear();
  const stream = new EventSource("/v1/events" + ask);
  source = stream;
  stream.onmessage = (e) => {
    if (stream !== source) return;
    hear();
    view = JSON.parse(e.data);
    if (software && view.software !== software) return location.reload(); // the till was updated: so must the page be
    software = view.software;
    online = true;
    told++;
    changed();
  };
  stream.addEventListener("beat", (e) => {
    if (stream !== source) return;
    hear();
    beat = { till: Date.parse(JSON.parse(e.data).now), here: performance.now() };
    if (view) line(true);
  });
  stream.addEventListener("picture", (e) => onPicture(JSON.parse(e.data).name));
  stream.onerror = () => { if (stream === source) line(false); };
}

// The browser notices a cable that was pulled after minutes only, and gives up for
// good when it was refused once.
setInterval(() => {
  if (!source) return;
  const dead = quiet() > SILENCE;
  if (dead) line(false);
  if (dead || source.readyState === EventSource.CLOSED) connect();
}, AGAIN);
