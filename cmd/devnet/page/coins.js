// The stablecoins of the customer's phone, and the levers of their networks. Sums come
// as text, ready to show, and are never computed here.

import { $, activity, call, clock, element, grouped, sentence, tell } from './parts.js'

const poll = 1200 // ms between looks
const lateBy = 4000 // ms after the end that "too late" waits: two blocks

let chosen = null // a request that the customer pasted, in place of the display's
let current = null // the request on the screen
let armed = null // {request, at}: to be sent late
let busy = false
let balances = []

async function look() {
  try {
    show(await call('/v1/coins'))
  } catch (error) {
    if (error.status === 404) return // this devnet has no chains
    for (const id of ['coins', 'coins-starting', 'coin', 'coin-empty', 'chains']) $(id).hidden = true
  }
  setTimeout(look, document.hidden ? 5 * poll : poll)
}

function show(state) {
  $('coins').hidden = $('chains').hidden = !state.ready
  $('coins-starting').hidden = state.ready
  if (!state.ready) {
    $('coins-step').textContent = state.trouble ? 'No stablecoins this time.' : 'Stablecoins are starting'
    $('coins-detail').textContent = sentence(state.trouble || state.detail || state.step)
    return
  }
  if (state.balances) showBalances(state.balances)
  activity('coins', state.activity || [])
  for (const chain of state.chains) showChain(chain)
  if (chosen?.text === state.shown?.text) chosen = null // the display's is the same, and knows its end
  current = armed?.request || chosen || state.shown || null
  $('coin').hidden = current === null
  $('coin-empty').hidden = current !== null || !$('pay').hidden
  document.body.classList.toggle('with-coin', current !== null)
  if (current) showRequest()
}

// showBalances shows one row a token, with what is on each network.
function showBalances(list) {
  balances = list
  const names = [...new Set(list.map((b) => b.token))]
  $('coins-list').replaceChildren(...names.map((name) => element('li', {},
    element('b', { textContent: name }),
    ...list.filter((b) => b.token === name).map((b) => element('span', { title: b.network + ': ' + b.amount }, grouped(short(b.amount)), element('small', { textContent: b.network }))))))
}

// short leaves out what nobody reads in a list.
const short = (amount) => amount.replace(/(\.\d{2})\d+$/, '$1')

function fill(select, options) {
  const was = select.value
  const now = JSON.stringify(options)
  if (select.dataset.options === now) return
  select.dataset.options = now
  select.replaceChildren(...options.map(([value, textContent]) => element('option', { value, textContent })))
  if (options.some(([value]) => value === was)) select.value = was
}

function showRequest() {
  const r = current
  $('coin-title').textContent = r.shown ? 'On the shop’s display now' : 'Scanned or copied'
  $('coin-what').textContent = r.typed ? 'An address, and nothing else' : r.token + ' on ' + r.network
  $('coin-amount').parentElement.hidden = r.typed
  $('coin-typed').hidden = !r.typed
  if (r.typed) {
    fill($('coin-chain'), [...new Map(balances.map((b) => [b.chain, b.network]))])
    fill($('coin-token'), balances.filter((b) => b.chain === $('coin-chain').value).map((b) => [b.token, b.token]))
  } else {
    $('coin-amount').textContent = grouped(r.amount)
    $('coin-unit').textContent = r.token
  }
  const left = Date.parse(r.until) - Date.now()
  $('coin-until').textContent = r.typed ? 'Choose and type what the shop’s display says' : !r.until ? 'A link does not say until when it holds' : left > 0 ? clock(left) + ' left, says the display' : 'its time is over'
  $('coin-until').classList.toggle('soon', Boolean(r.until) && left < 30000)
  $('coin-to').textContent = r.to
  for (const button of $('coin').querySelectorAll('button')) button.disabled = busy
  if (!busy) $('coin-send').textContent = r.typed ? 'Send' : 'Send ' + grouped(r.amount) + ' ' + r.token
  showMischief(r)
}

function showMischief(r) {
  const say = (as, text) => { $('coin-mischief').querySelector(`[data-as=${as}] span`).textContent = text }
  say('less', r.typed ? 'a hundredth less' : grouped(r.less) + ' ' + r.token)
  say('fee', r.typed ? '0.30 less' : grouped(r.net) + ' ' + r.token)
  say('twice', r.typed ? 'two transfers' : '2 × ' + grouped(r.amount))
  say('network', r.typed ? 'the other one' : r.other + ', same address')
  say('token', r.typed ? 'another one' : r.wrong)
  say('late', armed ? 'sends in ' + clock(armed.at - Date.now()) + ', tap to stop' : 'after its end')
  $('coin-late').hidden = !r.until
  $('coin-late').classList.toggle('armed', armed !== null)
  if (armed && Date.now() >= armed.at) {
    const { request } = armed
    armed = null
    send(request, 'late')
  }
}

// send lets the wallet pay a request, in some way.
async function send(request, as) {
  if (busy) return
  busy = true
  $('coin-send').textContent = 'Sending'
  $('coin-send').classList.add('busy')
  const typed = request.typed ? { chain: $('coin-chain').value, token: $('coin-token').value, amount: $('coin-sum').value } : {}
  let out
  try {
    out = await call('/v1/coins/pay', { text: request.text, as, ...typed })
  } catch (error) {
    out = { ok: false, reason: error.message }
  }
  busy = false
  $('coin-send').classList.remove('busy')
  if (!out.ok) return tell(false, 'Not sent', sentence(out.reason))
  chosen = null
  $('paste').value = ''
  tell(true, out.said, grouped(out.amount) + ', after ' + (out.took_ms / 1000).toFixed(1) + ' s')
}

// pasted takes a text that looks like a request for coins; '' for any other.
export async function pasted(text) {
  chosen = null
  if (text === '') return
  try {
    const request = await call('/v1/coins/read', { text })
    if ($('paste').value.trim() === text) chosen = request // it may have changed meanwhile
  } catch (error) {
    if ($('paste').value.trim() !== text) return
    $('paste-error').textContent = sentence(error.message)
    $('paste-error').hidden = false
  }
}

const modes = [['honest', 'Honest'], ['cut', 'Cut off'], ['denies', 'Says “nobody paid”'], ['doubles', 'Says twice as much']]

// showChain makes a network's card once, and keeps it up to date.
function showChain(chain) {
  let card = $('chain-' + chain.key)
  if (!card) $('chains-list').append(card = makeChain(chain))
  card.querySelector('.lamp').className = 'lamp ' + (chain.still ? 'silent' : '')
  card.querySelector('.head').textContent = chain.name + (chain.still ? ': no new blocks' : ': block ' + chain.block)
  const stop = card.querySelector('.still')
  stop.textContent = chain.still ? 'Let blocks come again' : 'Stop its blocks'
  stop.dataset.on = chain.still
  for (const o of chain.operators) {
    for (const [mode] of modes) card.querySelector(`[data-operator="${o.letter}"] [data-mode=${mode}]`).setAttribute('aria-pressed', o.mode === mode)
  }
}

function makeChain(chain) {
  const path = '/v1/chains/' + chain.key
  const still = element('button', { className: 'still' })
  still.addEventListener('click', () => pull(still, path + '/blocks', { on: still.dataset.on === 'true' }))
  const depth = element('input', { type: 'number', min: 1, max: 32, value: 3, ariaLabel: 'Blocks to undo' })
  const undo = element('button', { textContent: 'Undo its last blocks' })
  undo.addEventListener('click', () => pull(undo, path + '/undo', { depth: Number(depth.value) }, 'Undone: what was paid in the last ' + depth.value + ' blocks of ' + chain.name + ' never happened.'))
  return element('div', { className: 'line', id: 'chain-' + chain.key },
    element('p', {}, element('i', { className: 'lamp', ariaHidden: true }), element('b', { className: 'head' })),
    ...chain.operators.map((o) => makeOperator(path, o)),
    element('div', { className: 'switches' }, still, element('span', { className: 'undo' }, undo, depth)))
}

function makeOperator(path, o) {
  const row = element('div', { className: 'operator' }, element('p', { className: 'quiet', textContent: 'Operator ' + o.letter + (o.letter === 'A' ? ', whom the till asks' : ', who has to agree about larger sums') }))
  row.dataset.operator = o.letter
  const group = element('div', { className: 'modes' })
  for (const [mode, textContent] of modes) {
    const button = element('button', { textContent })
    button.dataset.mode = mode
    button.addEventListener('click', () => pull(button, path + '/operators/' + o.letter, { mode }))
    group.append(button)
  }
  row.append(group)
  return row
}

// pull does what a lever says.
async function pull(button, path, body, done) {
  button.disabled = true
  try {
    await call(path, body)
    show(await call('/v1/coins'))
    if (done) tell(true, 'Done', done)
  } catch (error) {
    tell(false, 'That did not work', sentence(error.message))
  }
  button.disabled = false
}

$('coin-send').addEventListener('click', () => send(current, ''))
$('coin-chain').addEventListener('change', showRequest)
for (const button of $('coin-mischief').querySelectorAll('button')) {
  button.addEventListener('click', () => {
    if (button.dataset.as !== 'late') return send(current, button.dataset.as)
    armed = armed ? null : { request: current, at: Date.parse(current.until) + lateBy }
    showRequest()
  })
}

// The owner's wallet: the file of a transfer, as head office's page gives it.
$('transfer').addEventListener('change', async (event) => {
  const [file] = event.target.files
  if (!file) return
  try {
    const out = await call('/v1/coins/sign', { text: await file.text() })
    tell(true, 'Sent', 'Head office sees it with its next count on ' + out.network + '.')
  } catch (error) {
    tell(false, 'Not sent', sentence(error.message))
  }
  event.target.value = ''
})

setInterval(() => { if (current && !$('coin').hidden) showRequest() }, 1000)
look()
