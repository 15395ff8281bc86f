// Compiles the contracts, and says what came out of it.
//
//   node build.cjs TOOLS OUT    TOOLS: where install/main.go put solc; OUT: a folder
//
// OUT/pinned.json is what the till carries; OUT/test/tokens.json is for tests. The
// same sources and the same solc give the same bytes: the path of the sources and
// the hash of their metadata stay out of the code.
"use strict";
const fs = require("fs"), path = require("path"), { createRequire } = require("module");

const [tools, out] = process.argv.slice(2);
const need = createRequire(path.join(path.resolve(tools), "x.js"));
const solc = need("solc");
const want = JSON.parse(fs.readFileSync(path.join(__dirname, "package.json"))).dependencies.solc;
if (!solc.version().startsWith(want + "+")) throw new Error(`solc is ${solc.version()}, want ${want}; run make contracts`);

const settings = {
  evmVersion: "paris", // no PUSH0: the code runs on every chain alike
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"] } },
};

function compile(folder, ...names) {
  const sources = {};
  for (const n of names) sources[`${folder}/${n}`] = { content: fs.readFileSync(path.join(__dirname, folder, n), "utf8") };
  const input = { language: "Solidity", sources, settings };
  const found = (p) => {
    try {
      return { contents: fs.readFileSync(need.resolve(p), "utf8") };
    } catch (e) {
      return { error: String(e) };
    }
  };
  const got = JSON.parse(solc.compile(JSON.stringify(input), { import: found }));
  for (const e of got.errors ?? []) {
    if (e.severity === "error") throw new Error(e.formattedMessage);
    if (folder === "src") throw new Error("a warning: " + e.formattedMessage);
  }
  const all = {};
  for (const f in got.contracts) {
    if (f.startsWith(folder + "/")) Object.assign(all, got.contracts[f]);
  }
  return all;
}

const ours = compile("src", "Forwarder.sol", "Factory.sol", "Peek.sol");
const pinned = {
  solc: solc.version(),
  factory: ours.Factory.evm.bytecode.object,
  peek: ours.Peek.evm.bytecode.object,
  methods: ours.Factory.evm.methodIdentifiers,
};
const tokens = {};
for (const [name, c] of Object.entries(compile("test", "Tokens.sol")).sort()) {
  if (c.evm.bytecode.object) tokens[name] = { code: c.evm.bytecode.object, methods: c.evm.methodIdentifiers };
}
fs.mkdirSync(path.join(out, "test"), { recursive: true });
fs.writeFileSync(path.join(out, "pinned.json"), JSON.stringify(pinned, null, 1) + "\n");
fs.writeFileSync(path.join(out, "test", "tokens.json"), JSON.stringify(tokens, null, 1) + "\n");
