// A Solana node for tests: the real virtual machine and the real token programs
// (litesvm), behind the JSON-RPC calls that a till makes, and a customer's wallet.
//
//   node node.mjs FOLDER-OF-TOOLS [SLOTS-UNTIL-FINAL]
//
// It listens on a free port of this computer, prints where, and ends with its standard
// input. POST / is JSON-RPC; POST /do is the wallet: {"do": "pay", …}. A slot is 400 ms;
// a block is confirmed one slot after its own, and final some slots later.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(process.argv[2] + "/");
const { LiteSVM, FailedTransactionMetadata } = require("litesvm");
const kit = require("@solana/kit");
const token = require("@solana-program/token");

const TOKEN = token.TOKEN_PROGRAM_ADDRESS;
const TOKEN22 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb";
const MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr";
const GUARD = "L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95"; // Lighthouse; here a copy of Memo, which checks nothing
const CLOCK = "SysvarC1ock11111111111111111111111111111111";
const GENESIS = "TiLLwrightTestCLusterxxxxxxxxxxxxxxxxxxxxxx";

const base58 = kit.getBase58Decoder();
const lag = { processed: 0, confirmed: 1, finalized: Number(process.argv[3] ?? 32) };
const born = Date.now();
let ahead = 0; // seconds that a test let pass
let hops = 0; // slots that it let pass
let svm = new LiteSVM().withTransactionHistory(0n);
let past = new Map(); // address -> [{slot, account}]: what stood there from each slot on
let blocks = []; // transactions, oldest first
let mark = null;

const slotNow = () => 1000 + Math.floor((Date.now() - born) / 400) + hops;
const timeNow = () => Math.floor(Date.now() / 1000) + ahead;
const upTo = (o) => {
  if (o?.commitment !== undefined && !(o.commitment in lag)) throw fault(-32602, `unknown commitment ${o.commitment}`);
  return slotNow() - lag[o?.commitment ?? "finalized"];
};
const fault = (code, message) => Object.assign(new Error(message), { code });

// account returns what stands at an address now.
function account(at) {
  if (at === CLOCK) return clock(slotNow());
  const a = svm.getAccount(kit.address(at));
  return a.exists ? { data: Buffer.from(a.data), owner: String(a.programAddress), lamports: Number(a.lamports), executable: a.executable } : null;
}

function clock(slot) {
  const data = Buffer.alloc(40);
  data.writeBigUInt64LE(BigInt(slot), 0);
  data.writeBigInt64LE(BigInt(timeNow()), 32);
  return { data, owner: "Sysvar1111111111111111111111111111111111111", lamports: 1, executable: false };
}

// accountAt returns what stood at an address at a slot.
function accountAt(at, slot) {
  if (at === CLOCK) return clock(slot);
  const list = past.get(at);
  if (!list) return account(at);
  return list.findLast((e) => e.slot <= slot)?.account ?? null;
}

// tokens lists the token balances of accounts, by their numbers in a transaction.
function tokens(keys, states) {
  const out = [];
  states.forEach((a, i) => {
    if (!a || (a.owner !== TOKEN && a.owner !== TOKEN22) || a.data.length < 165 || (a.data.length > 165 && a.data[165] !== 2)) return;
    const mint = base58.decode(a.data.subarray(0, 32));
    const amount = a.data.readBigUInt64LE(64).toString();
    const decimals = account(mint).data[44];
    out.push({ accountIndex: i, mint, owner: base58.decode(a.data.subarray(32, 64)), programId: a.owner, uiTokenAmount: { amount, decimals, uiAmount: Number(amount) / 10 ** decimals, uiAmountString: String(Number(amount) / 10 ** decimals) } });
  });
  return out;
}

// send signs a transaction of the wallet, runs it, and puts it into the newest slot.
async function send(instructions, { legacy = false } = {}) {
  let m = kit.createTransactionMessage({ version: legacy ? "legacy" : 0 });
  m = kit.setTransactionMessageFeePayerSigner(wallet, m);
  svm.expireBlockhash();
  m = svm.setTransactionMessageLifetimeUsingLatestBlockhash(m);
  m = kit.appendTransactionMessageInstructions(instructions, m);
  const tx = await kit.signTransactionMessageWithSigners(m);
  const compiled = kit.getCompiledTransactionMessageDecoder().decode(tx.messageBytes);
  const keys = compiled.staticAccounts.map(String);
  const before = keys.map(account);
  const result = svm.sendTransaction(tx);
  const failed = result instanceof FailedTransactionMetadata;
  const after = keys.map(account);
  const slot = slotNow();
  keys.forEach((k, i) => {
    if (!past.has(k)) past.set(k, [{ slot: 0, account: before[i] }]);
    past.get(k).push({ slot, account: after[i] });
  });
  const instruction = (i) => ({ programIdIndex: i.programAddressIndex, accounts: i.accountIndices ?? [], data: base58.decode(i.data ?? new Uint8Array()), stackHeight: 1 });
  const inner = (failed ? result.meta() : result).innerInstructions().map((list, index) => ({
    index,
    instructions: list.map((i) => ({ programIdIndex: i.instruction().programIdIndex(), accounts: [...i.instruction().accounts()], data: base58.decode(i.instruction().data()), stackHeight: i.stackHeight() })),
  })).filter((g) => g.instructions.length > 0);
  const err = failed ? { InstructionError: [0, { Custom: 1 }] } : null;
  const signature = kit.getSignatureFromTransaction(tx);
  blocks.push({
    slot, keys, err, signature, blockTime: timeNow(), version: legacy ? "legacy" : 0,
    meta: {
      err, status: err ? { Err: err } : { Ok: null }, fee: 5000, innerInstructions: inner, logMessages: [], loadedAddresses: { writable: [], readonly: [] },
      preBalances: before.map((a) => a?.lamports ?? 0), postBalances: after.map((a) => a?.lamports ?? 0),
      preTokenBalances: tokens(keys, before), postTokenBalances: tokens(keys, after), rewards: [],
    },
    transaction: {
      signatures: [signature],
      message: {
        header: { numRequiredSignatures: compiled.header.numSignerAccounts, numReadonlySignedAccounts: compiled.header.numReadonlySignerAccounts, numReadonlyUnsignedAccounts: compiled.header.numReadonlyNonSignerAccounts },
        accountKeys: keys, recentBlockhash: compiled.lifetimeToken, instructions: compiled.instructions.map(instruction),
        ...(legacy ? {} : { addressTableLookups: [] }),
      },
    },
  });
  return { signature, slot, err };
}

// shown is an account as getAccountInfo has it.
const shown = (a, o) => {
  if (o?.encoding !== "base64") throw fault(-32602, "this node speaks base64 only");
  return a && { data: [a.data.toString("base64"), "base64"], executable: a.executable, lamports: a.lamports, owner: a.owner, rentEpoch: 0, space: a.data.length };
};
const context = (slot, value) => ({ context: { apiVersion: "2.2.0", slot }, value });
const confirmation = (b) => (b.slot <= upTo({ commitment: "finalized" }) ? "finalized" : b.slot <= upTo({ commitment: "confirmed" }) ? "confirmed" : "processed");

const methods = {
  getGenesisHash: () => GENESIS,
  getSlot: (o) => upTo(o),
  getAccountInfo: (at, o) => context(upTo(o), shown(accountAt(at, upTo(o)), o)),
  getMultipleAccounts: (all, o) => context(upTo(o), all.map((at) => shown(accountAt(at, upTo(o)), o))),
  getTokenAccountBalance(at, o) {
    const a = accountAt(at, upTo(o));
    const found = tokens([at], [a])[0];
    if (!found) throw fault(-32602, "Invalid param: could not find account");
    return context(upTo(o), found.uiTokenAmount);
  },
  getSignaturesForAddress(at, o = {}) {
    if (o.commitment === "processed") throw fault(-32602, "Method does not support commitment below `confirmed`");
    let list = blocks.filter((b) => b.slot <= upTo(o) && b.keys.includes(at)).reverse();
    const index = (sig) => list.findIndex((b) => b.signature === sig);
    if (o.before && index(o.before) >= 0) list = list.slice(index(o.before) + 1);
    if (o.until && index(o.until) >= 0) list = list.slice(0, index(o.until));
    return list.slice(0, o.limit ?? 1000).map((b) => ({ signature: b.signature, slot: b.slot, err: b.err, memo: null, blockTime: b.blockTime, confirmationStatus: confirmation(b) }));
  },
  getTransaction(sig, o = {}) {
    if (o.encoding !== "json") throw fault(-32602, "this node speaks json only");
    if (o.commitment === "processed") throw fault(-32602, "Method does not support commitment below `confirmed`");
    const b = blocks.find((b) => b.signature === sig && b.slot <= upTo(o));
    if (!b) return null;
    if (b.version !== "legacy" && !(o.maxSupportedTransactionVersion >= b.version)) throw fault(-32015, "Transaction version (0) is not supported by the requesting client.");
    const { slot, blockTime, meta, transaction, version } = b;
    return { slot, blockTime, meta, transaction, version };
  },
  getSignatureStatuses: (sigs) => context(slotNow(), sigs.map((sig) => {
    const b = blocks.find((b) => b.signature === sig);
    return b ? { slot: b.slot, confirmations: 1, err: b.err, status: b.meta.status, confirmationStatus: confirmation(b) } : null;
  })),
};

// The wallet.
const wallet = await kit.generateKeyPairSigner();
svm.airdrop(wallet.address, kit.lamports(1_000_000_000_000n));
svm.addProgram(kit.address(GUARD), svm.getAccount(kit.address(MEMO)).data);
const note = (program, text) => ({ programAddress: kit.address(program), accounts: [], data: new TextEncoder().encode(text) });
const mints = new Map();

async function ata(owner, mint) {
  const [at] = await token.findAssociatedTokenPda({ owner: kit.address(owner), mint: kit.address(mint), tokenProgram: kit.address(mints.get(mint).program) });
  return at;
}

const openAccount = async (owner, mint) => token.getCreateAssociatedTokenIdempotentInstruction({
  payer: wallet, ata: await ata(owner, mint), owner: kit.address(owner), mint: kit.address(mint), tokenProgram: kit.address(mints.get(mint).program),
});

async function transfer({ owner, mint, units, references = [] }) {
  const m = mints.get(mint);
  const one = token.getTransferCheckedInstruction({
    source: await ata(wallet.address, mint), mint: kit.address(mint), destination: await ata(owner, mint), authority: wallet, amount: BigInt(units), decimals: m.decimals,
  }, { programAddress: kit.address(m.program) });
  const extra = references.map((r) => ({ address: kit.address(r), role: kit.AccountRole.READONLY }));
  return { ...one, accounts: [...one.accounts, ...extra] };
}

const wishes = {
  // mint makes a token that the wallet has plenty of.
  async mint({ decimals = 6, program = "token" }) {
    const at = await kit.generateKeyPairSigner();
    const p = program === "token-2022" ? TOKEN22 : TOKEN;
    const size = 82n;
    const config = { programAddress: kit.address(p) };
    const create = require("@solana-program/system").getCreateAccountInstruction({ payer: wallet, newAccount: at, lamports: svm.minimumBalanceForRentExemption(size), space: size, programAddress: kit.address(p) });
    await send([create, token.getInitializeMint2Instruction({ mint: at.address, decimals, mintAuthority: wallet.address, freezeAuthority: wallet.address }, config)]);
    mints.set(at.address, { program: p, decimals });
    await send([await openAccount(wallet.address, at.address), token.getMintToInstruction({ mint: at.address, token: await ata(wallet.address, at.address), mintAuthority: wallet, amount: 10n ** 18n }, config)]);
    return { mint: at.address };
  },
  // open makes the owner's account of a token.
  open: async ({ owner, mint }) => ({ ...(await send([await openAccount(owner, mint)])), account: await ata(owner, mint) }),
  freeze: async ({ owner, mint }) => send([token.getFreezeAccountInstruction({ account: await ata(owner, mint), mint: kit.address(mint), owner: wallet }, { programAddress: kit.address(mints.get(mint).program) })]),
  // pay sends transfers in one transaction, with what wallets put around them.
  async pay({ transfers, memo, guards, legacy, open }) {
    const all = [];
    if (guards) all.push(note(GUARD, "guard before"));
    for (const t of transfers) {
      if (open) all.push(await openAccount(t.owner, t.mint));
      all.push(await transfer(t));
    }
    if (memo) all.push(note(MEMO, memo));
    if (guards) all.push(note(GUARD, "guard after"), note(GUARD, "and another"));
    return send(all, { legacy });
  },
  // coin sends the native coin.
  coin: ({ owner, units, references = [] }) => {
    const one = require("@solana-program/system").getTransferSolInstruction({ source: wallet, destination: kit.address(owner), amount: BigInt(units) });
    return send([{ ...one, accounts: [...one.accounts, ...references.map((r) => ({ address: kit.address(r), role: kit.AccountRole.READONLY }))] }]);
  },
  // wait lets time pass, and some slots: a cluster that stood still goes on like this.
  wait: ({ seconds, slots = 5 }) => ({ ahead: (ahead += seconds), hops: (hops += slots) }),
  // mark remembers how things are; fork goes back to it, as a cluster does that votes for another block.
  mark: () => ({ marked: (mark = { svm: svm.toBytes(), past: new Map([...past].map(([k, v]) => [k, [...v]])), blocks: [...blocks] }) && blocks.length }),
  fork: () => {
    svm = LiteSVM.fromBytes(mark.svm);
    ({ past, blocks } = mark);
    return { blocks: blocks.length };
  },
};

let turn = Promise.resolve(); // one thing after the other
const inTurn = (f) => (turn = turn.then(f, f));

function call({ id, method, params }) {
  try {
    if (!Object.hasOwn(methods, method)) throw fault(-32601, "Method not found");
    return { jsonrpc: "2.0", id, result: methods[method](...(params ?? [])) };
  } catch (e) {
    return { jsonrpc: "2.0", id, error: { code: e.code ?? -32603, message: e.message } };
  }
}

const server = createServer(async (req, res) => {
  let body = "";
  for await (const part of req) body += part;
  const answer = (status, value) => res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  try {
    const asked = JSON.parse(body);
    if (req.url === "/do") answer(200, await inTurn(() => wishes[asked.do](asked)));
    else answer(200, await inTurn(() => (Array.isArray(asked) ? asked.map(call) : call(asked))));
  } catch (e) {
    answer(500, { error: String(e?.cause ?? e) });
  }
});
server.listen(0, "127.0.0.1", () => console.log(`Listening on http://127.0.0.1:${server.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();
