// What independent encoders say for the same papers, as JSON: the tests of escpos and
// star compare their bytes with it. Usage: node outside.mjs FILE. The encoders come by
// npm in the exact versions of package-lock.json, into a folder outside of the tree;
// what is there already is left alone.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const home = dirname(fileURLToPath(import.meta.url));

/** install returns the folder of the encoders. It is made whole under another name first. */
function install() {
  const base = process.env.TILLWRIGHT_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tillwright");
  const lock = readFileSync(join(home, "package-lock.json"));
  const dir = join(base, "printers-" + createHash("sha256").update(lock).digest("hex").slice(0, 12));
  if (existsSync(dir)) return dir;
  mkdirSync(base, { recursive: true });
  const work = mkdtempSync(join(base, "new-"));
  try {
    for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(home, name), join(work, name));
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: work, stdio: ["ignore", "ignore", "inherit"] });
    if (!existsSync(dir)) renameSync(work, dir);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return dir;
}

const require = createRequire(join(install(), "x.js"));
const loaded = require("@point-of-sale/receipt-printer-encoder");
const Encoder = loaded.default ?? loaded;
const receiptline = require("receiptline");
const { PNG } = require("pngjs");
const versions = JSON.parse(readFileSync(join(home, "package.json"), "utf8")).dependencies;

const out = {};
const hex = (b) => Buffer.from(b).toString("hex");
const add = (name, bytes) => { out[name] = hex(bytes); };

// receipt-printer-encoder: each feature alone, without the line ends that it adds.
const encode = (language, f, options = {}) => f(new Encoder({ language, columns: 48, ...options })).encode();
for (const language of ["esc-pos", "star-prnt"]) {
  const one = (name, f, options) => add(`${language}/${name}`, encode(language, f, options));
  one("init", (e) => e.initialize());
  one("bold", (e) => e.bold(true).text("A").bold(false).text("b"));
  one("large", (e) => e.width(2).height(2).text("W").width(1).height(1).text("w"));
  one("tall", (e) => e.height(2).text("T").height(1).text("t"));
  one("drawer 1", (e) => e.pulse(0, 50, 500));
  one("drawer 2", (e) => e.pulse(1, 50, 500));
  for (const text of ["LNBC1", "TW1 01-000482 913 3FA9C1D2E4B5F60718293A4B5C6D7E8F", "x".repeat(250)]) {
    for (const size of [3, 6]) {
      one(`qr ${size} ${text.slice(0, 20)}`, (e) => e.qrcode(text, { model: 2, size, errorlevel: "m" }));
    }
  }
  for (const width of [1, 2]) {
    one(`bars ${width}`, (e) => e.barcode("01-000482", "code128", { height: 80, width, text: true }));
  }
}
const samples = {
  cp437: "Çüéâäß±½", cp850: "ÁÂÀðØ×¾", cp858: "€ÁÂÀØ", cp852: "ŁłőűŽžČč", cp860: "ãõÁÊÔ", cp863: "ÂÊÏÛè", cp865: "Ø£¤", cp866: "Борщ Ёё",
  windows1250: "Łódź €", windows1251: "Борщ €", windows1252: "“€” Ž", windows1253: "Ελλάδα €", windows1254: "İşğ €", windows1257: "ąčęė €",
};
for (const [page, text] of Object.entries(samples)) {
  add(`esc-pos/page ${page}`, encode("esc-pos", (e) => e.codepage(page).text(text), { codepageMapping: "epson" }));
  if (!["windows1253", "windows1254", "windows1257", "cp850"].includes(page)) {
    add(`star-prnt/page ${page}`, encode("star-prnt", (e) => e.codepage(page).text(text)));
  }
}

// A picture of black and white alone, which every dithering leaves as it is.
const side = 40;
const black = (x, y) => x === y || x === 0 || y === side - 1 || (x > 20 && y < 9);
const png = new PNG({ width: side, height: side });
for (let i = 0; i < side * side; i++) {
  const v = black(i % side, Math.floor(i / side)) ? 0 : 255;
  png.data.set([v, v, v, 255], 4 * i);
}
const picture = PNG.sync.write(png).toString("base64");
add("esc-pos/raster", encode("esc-pos", (e) => e.image({ data: png.data, width: side, height: side }, side, side, "threshold", 128), { imageMode: "raster" }));
add("esc-pos/columns", encode("esc-pos", (e) => e.image({ data: png.data, width: side, height: side }, side, side, "threshold", 128), { imageMode: "column" }));

// receiptline: whole papers; the tests look for a part of them.
const line = (command, doc) => Buffer.from(receiptline.transform(doc, { cpl: 48, encoding: "cp858", command, cutting: true, spacing: true, gradient: false }), "binary");
for (const command of ["escpos", "starsbcs", "starlinesbcs", "stargraphic"]) {
  add(`receiptline ${command}/picture`, line(command, `{image:${picture}}\n`));
  if (command !== "stargraphic") {
    add(`receiptline ${command}/bars`, line(command, "{code:01-000482;option:code128,2,80,hri}\n"));
    add(`receiptline ${command}/text`, line(command, "Crème 5 €\n"));
  }
}
add("receiptline escpos/qr", line("escpos", "{code:LNBC1;option:qrcode,4,m}\n"));

writeFileSync(process.argv[2], JSON.stringify({ made: versions, bytes: out }, null, 1) + "\n");
