// @ts-check
// api.js: asks the till to do something, once, however bad the line is.

/** A problem as RFC 9457 writes it, or the line's own. */
export class Problem extends Error {
  /** @param {{type?: string, title?: string, detail?: string, status?: number}} p @param {number} wait seconds */
  constructor(p, wait = 0) {
    super(p.detail ?? "");
    this.kind = (p.type ?? "").replace("/problems/", "");
    this.title = p.title ?? "";
    this.status = p.status ?? 0;
    this.wait = wait;
  }
}

const TRIES = 3;
const PAUSE = 400; // milliseconds, doubled each time
const WITHIN = 35_000; // longer than the till takes for its slowest answer
const KEEP = 30_000; // a key is repeated within so long; later the same button means a new thing

/** crypto.randomUUID needs a secure context, which http:// on a shop's network is not. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/** @param {number} ms */
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * once sends a request under key, and again under the same key while the line
 * fails. It throws a Problem; its status is 0 when nobody answered.
 * @param {string} method @param {string} path @param {any} body @param {string} key
 */
export async function send(method, path, body, key) {
  for (let n = 1; ; n++) {
    try {
      const res = await fetch(path, {
        method, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(WITHIN),
        headers: body === undefined ? { "Idempotency-Key": key } : { "Content-Type": "application/json", "Idempotency-Key": key },
      });
      const out = res.status === 204 ? null : await res.json().catch(() => ({}));
      if (res.ok) return out;
      throw new Problem({ ...out, status: res.status }, Number(res.headers.get("Retry-After") ?? 0));
    } catch (e) {
      if (e instanceof Problem) throw e;
      if (n >= TRIES) throw new Problem({ type: "offline", status: 0 });
      await pause(PAUSE * 2 ** n);
    }
  }
}

/** @type {Map<string, {key: string, at: number}>} */
const kept = new Map();
const under = new Set();

/**
 * once is for a button: while it is under way a second tap does nothing, and
 * until the till has answered for certain a repeated tap carries the same key.
 * It returns undefined for the tap that did nothing.
 * @param {string} method @param {string} path @param {any} [body] @param {string} [of] what the page is about: of something else the same request means a new thing
 */
export async function once(method, path, body, of = "") {
  const content = method + " " + path + " " + JSON.stringify(body) + of;
  if (under.has(content)) return undefined;
  const old = kept.get(content);
  const key = old && Date.now() - old.at < KEEP ? old.key : newKey();
  under.add(content);
  try {
    const out = await send(method, path, body, key);
    kept.delete(content);
    return out;
  } catch (e) {
    if (e instanceof Problem && (e.status === 0 || e.status >= 500)) kept.set(content, { key, at: Date.now() });
    else kept.delete(content);
    throw e;
  } finally {
    under.delete(content);
  }
}

/** get reads; it throws a Problem. @param {string} path */
export async function get(path) {
  let res;
  try {
    res = await fetch(path, { signal: AbortSignal.timeout(WITHIN) });
  } catch {
    throw new Problem({ type: "offline", status: 0 });
  }
  const out = await res.json().catch(() => ({}));
  if (!res.ok) throw new Problem({ ...out, status: res.status });
  return out;
}
