// @ts-check
// sound.js: a few tones, made here. Each has a visual twin; none carries news alone.

/** @type {AudioContext|null} */
let ctx = null;

/** wake starts the sound; browsers allow it only from a tap or a key. then is called when it runs. @param {any} [then] */
export function wake(then) {
  try {
    ctx ??= new AudioContext();
    if (ctx.state === "suspended") ctx.resume().then(() => { if (typeof then === "function") then(); });
  } catch { /* a device without sound */ }
}

/** silent says that a tap is needed before anything sounds. */
export const silent = () => !ctx || ctx.state !== "running";

/**
 * @param {number} hz @param {number} at seconds from now @param {number} lasts seconds
 * @param {number} loud 0 to 1 @param {OscillatorType} [wave]
 */
function tone(hz, at, lasts, loud, wave = "sine") {
  if (!ctx || ctx.state !== "running") return;
  const start = ctx.currentTime + at;
  const osc = ctx.createOscillator();
  const gain = ctx.createGain();
  osc.type = wave;
  osc.frequency.value = hz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(loud, start + 0.01);
  gain.gain.exponentialRampToValueAtTime(0.001, start + lasts);
  osc.connect(gain).connect(ctx.destination);
  osc.start(start);
  osc.stop(start + lasts);
}

/** The sale at the counter is paid: three notes up. */
export function paid() {
  [1047, 1319, 1568].forEach((hz, i) => tone(hz, i * 0.13, i === 2 ? 0.9 : 0.4, 0.35));
}

/** Another sale was paid meanwhile: a doorbell, two notes down, twice. */
export function elsewhere() {
  [1319, 988, 1319, 988].forEach((hz, i) => tone(hz, i * 0.2, 0.35, 0.25, "triangle"));
}

/** Something is wrong: a low double tone. */
export function wrong() {
  [196, 165].forEach((hz, i) => tone(hz, i * 0.17, 0.16, 0.3, "square"));
}

/** A scan was understood. */
export const scanned = () => tone(1976, 0, 0.07, 0.2);
