// @ts-check
// dom.js: makes elements. Text goes in as text; there is no way to hand markup in.

/**
 * h makes an element. Of props, functions are listeners by their event's name,
 * true is a bare attribute, false and null are left out, the rest are attributes.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") el.addEventListener(name, value);
    else if (value === true) el.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) el.setAttribute(name, String(value));
  }
  if (tag === "button" && !("type" in props)) el.setAttribute("type", "button");
  el.append(...children.filter((c) => c !== null && c !== undefined && c !== false && c !== "").map((c) => /** @type {Node|string} */ (c)));
  return el;
}

const NS = "http://www.w3.org/2000/svg";

/** Outlines of a 24 × 24 grid, drawn with the text's colour. */
const shapes = {
  back: "M15 5l-7 7 7 7",
  check: "M4.5 12.5l5 5L19.5 7",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3.5 2",
  close: "M6 6l12 12M18 6L6 18",
  dot: "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  drawer: "M4 6h16v12H4zM4 12h16M10 15h4",
  erase: "M9 5h11v14H9l-6-7zM12 9.5l5 5M17 9.5l-5 5",
  help: "M9 9a3 3 0 1 1 4 2.8c-.7.4-1 .9-1 1.7M12 17.5v.1",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  menu: "M4 7h16M4 12h16M4 17h16",
  minus: "M5 12h14",
  next: "M9 5l7 7-7 7",
  office: "M5 20V5h9v15M14 10h5v10M8 9h3M8 13h3M3 20h18",
  people: "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6M3.5 19c.4-3 2.6-5 5.5-5s5.1 2 5.5 5M16 5.5a3 3 0 0 1 0 5.3M17.5 14.4c1.7.8 2.8 2.4 3 4.6",
  plus: "M5 12h14M12 5v14",
  printer: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
  receipt: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  screen: "M4 5h16v11H4zM9 20h6M12 16v4",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5L20 20",
  square: "M6.5 6.5h11v11h-11z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  triangle: "M12 4.5l8.5 15h-17z",
  warn: "M12 4.5l8.5 15h-17zM12 10.5v4M12 16.8v.1",
};

/**
 * icon draws a shape; it carries no meaning of its own, a word stands beside it.
 * @param {keyof typeof shapes} name
 */
export function icon(name) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon " + name);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", shapes[name]);
  svg.append(path);
  return svg;
}

/** painted remembers what each element shows. */
const painted = new WeakMap();

/**
 * paint rebuilds an element's content, but only when what it is made from has
 * changed: a button must not vanish under the finger that presses it.
 * @param {HTMLElement} el
 * @param {any} from
 * @param {() => (Node|string|null|undefined|false)[]} build
 */
export function paint(el, from, build) {
  const mark = JSON.stringify(from);
  if (painted.get(el) === mark) return;
  painted.set(el, mark);
  const kept = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset?.key;
  el.replaceChildren(...build().filter(Boolean).map((c) => /** @type {Node|string} */ (c)));
  if (kept && !el.contains(document.activeElement)) /** @type {HTMLElement|null} */ (el.querySelector(`[data-key="${CSS.escape(kept)}"]`))?.focus();
}

/**
 * dialog opens a modal sheet with a title and a close button; it is gone from the
 * page when it closes.
 * @param {string} title
 * @param {string} closeWord
 * @param {...(Node|string|null|false)} content
 * @returns {HTMLDialogElement}
 */
export function dialog(title, closeWord, ...content) {
  const box = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-label": title, close: () => box.remove() },
    h("header", {}, h("h2", {}, title), h("button", { class: "ghost", "aria-label": closeWord, click: () => box.close() }, icon("close"))),
    h("div", { class: "sheet" }, ...content)));
  box.addEventListener("click", (e) => { if (e.target === box) box.close(); }); // beside it
  document.body.append(box);
  box.showModal();
  return box;
}
