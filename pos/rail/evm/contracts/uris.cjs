// Reads payment links as wallets do, with eth-url-parser (MetaMask, Rainbow, OneKey),
// and writes down what it understood, for TestLinksReadBack.
//
//   node uris.cjs TOOLS < links > testdata/uris.json
"use strict";
const path = require("path"), { createRequire } = require("module");
const need = createRequire(path.join(path.resolve(process.argv[2]), "x.js"));
const { parse } = need("eth-url-parser");

const links = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
const out = links.map((link) => {
  try {
    return { link, read: parse(link) };
  } catch (e) {
    return { link, error: String(e.message ?? e) };
  }
});
process.stdout.write(JSON.stringify(out, null, 1) + "\n");
