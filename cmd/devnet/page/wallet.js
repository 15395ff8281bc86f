// The customer's phone. It shows what the wallet's node says and asks it to pay;
// sums come as text, ready to show, and are never computed here.

import { $, activity, call, clock, element, grouped, sentence, showAction, tell } from './parts.js'
import { pasted } from './coins.js'

const poll = 1200 // ms between looks: an invoice appears about when the QR code does
const lateBy = 3000 // ms after the expiry that "pay late" waits: the shop's node is done then

let picked = null // an invoice that the customer chose or pasted, in place of the counter's
let current = null // the invoice on the screen
let armed = null // {invoice, at}: to be paid late
let busy = false

async function look() {
  try {
    const status = await call('/v1/status')
    showStatus(status)
    // Either may fail while its node is stopped; what was shown stays.
    if (status.ready) await Promise.allSettled([showWallet(), showInvoices()])
  } catch {
    showStatus({ ready: false, step: 'devnet does not answer', detail: 'Is it still running?', since: null })
  }
  setTimeout(look, document.hidden ? 5 * poll : poll)
}

function showStatus(status) {
  showLine(status.line)
  $('starting').hidden = status.ready
  for (const id of ['pay', 'behind']) $(id).hidden = !status.ready
  if (status.ready) return
  $('step').textContent = status.step
  const text = [status.trouble || status.detail]
  if (status.since) text.push('running for ' + clock(Date.now() - Date.parse(status.since)))
  $('elapsed').textContent = text.filter(Boolean).join(' · ')
  $('bar').style.width = portion(status) + '%'
}

const lineWords = {
  up: ['on', 'Cut it, sell something, and pay with this phone: the phone has a signal of its own.', 'Cut it'],
  cut: ['cut', 'The till notices within ten seconds. Sell with Lightning, pay here, and type the six-digit code at the till.', 'Switch it on'],
  silent: ['silent', 'Calls are taken and nothing passes, which takes the till longer to notice.', 'Switch it on'],
}

// showLine shows the till's way out; undefined: there is no till here.
function showLine(state) {
  $('line').hidden = !lineWords[state]
  if ($('line').hidden) return
  const [word, text, act] = lineWords[state]
  $('line-state').textContent = 'The shop’s internet: ' + word
  $('line-text').textContent = text
  $('line-lamp').className = 'lamp ' + state
  $('line-switch').textContent = act
  $('line-switch').dataset.to = state === 'up' ? 'cut' : 'up'
  $('line-silence').disabled = state === 'silent'
}

async function turnLine(button, to) {
  button.disabled = true
  try {
    showLine((await call('/v1/line', { state: to })).state)
  } catch (error) {
    tell(false, 'That did not work', sentence(error.message))
  }
  button.disabled = $('line-silence') === button && to === 'silent'
}

// portion is how much of the whole set-up is done: a quarter a step, and inside a
// build the packages.
function portion(status) {
  const step = /(\d+)\/(\d+)$/.exec(status.step)
  if (!step) return 3
  const inside = /^(\d+) of (\d+)/.exec(status.detail || '')
  return Math.max(3, ((step[1] - 1 + (inside ? inside[1] / inside[2] : 0.1)) / step[2]) * 100)
}

async function showWallet() {
  const wallet = await call('/v1/wallet')
  $('balance').textContent = grouped(wallet.lightning_sat)
  $('onchain').textContent = grouped(wallet.onchain_sat) + ' sat'
  activity('lightning', wallet.activity || [])
}

async function showInvoices() {
  const { invoices } = await call('/v1/invoices')
  if (picked && !picked.url && Date.parse(picked.expires) + lateBy < Date.now() && armed?.invoice !== picked) picked = null
  if (picked && !picked.pasted) picked = invoices.find((i) => i.invoice === picked.invoice) || (armed?.invoice.invoice === picked.invoice ? picked : null)
  current = armed?.invoice || picked || invoices[0] || null
  $('empty').hidden = current !== null
  $('invoice').hidden = current === null
  $('pay-title').textContent = current?.shown ? 'On the shop’s display now' : current?.pasted ? 'From the clipboard' : 'At the counter'
  const others = invoices.filter((i) => i.invoice !== current?.invoice)
  $('others').replaceChildren(...others.map((i) => {
    const button = element('button', {}, element('span', { textContent: i.description || 'Invoice' }), element('b', { textContent: grouped(i.amount_sat || '') + ' sat' }))
    button.addEventListener('click', () => { picked = i; armed = null; showInvoices() })
    return element('li', {}, button)
  }))
  if (current) showInvoice()
}

function showInvoice() {
  const lnurl = current.url !== undefined
  $('from').textContent = current.description || (current.trouble ? 'The shop answers' : 'No description')
  $('amount').parentElement.hidden = !current.amount_sat
  $('amount').textContent = grouped(current.amount_sat || '')
  showUntil()
  $('mischief').hidden = lnurl
  $('open-page').hidden = !lnurl || current.paid
  if (lnurl) $('open-page').href = current.url
  showAction($('open-action'), $('action-text'), current.paid)
  $('pay-now').hidden = Boolean(current.trouble || current.paid)
  for (const id of ['pay-now', 'over', 'under', 'late']) $(id).disabled = busy
  if (!busy) $('pay-now').textContent = 'Pay ' + grouped(current.amount_sat || '') + ' sat'
  if (!lnurl) showMischief()
}

function showUntil() {
  const left = Date.parse(current.expires) - Date.now()
  let text = left > 0 ? clock(left) + ' left' : 'expired'
  if (current.url) text = 'by way of ' + new URL(current.url).host
  if (current.trouble) text = sentence(current.trouble)
  if (current.paid) text = 'paid'
  $('until').textContent = text
  $('until').classList.toggle('soon', !current.url && left < 30000)
  $('until').classList.toggle('trouble', Boolean(current.trouble))
}

function showMischief() {
  $('over').querySelector('span').textContent = sats(current.over_msat) + ' sat'
  $('under').querySelector('span').textContent = sats(current.under_msat) + ' sat'
  $('late').querySelector('span').textContent = armed ? 'pays in ' + clock(armed.at - Date.now()) + ', tap to stop' : 'after it has expired'
  $('late').classList.toggle('armed', armed !== null)
  if (armed && Date.now() >= armed.at) {
    const { invoice } = armed
    armed = null
    pay(invoice, invoice.amount_msat)
  }
}

const sats = (msat) => grouped(msat.slice(0, -3) || '0')

// pay pays invoice; amount is '' for what it asks, else millisatoshis as text.
async function pay(invoice, amount) {
  if (busy) return
  busy = true
  $('pay-now').textContent = 'Paying'
  $('pay-now').classList.add('busy')
  let out
  try {
    out = await call('/v1/payments', { invoice: invoice.invoice, amount_msat: amount })
  } catch (error) {
    out = { ok: false, reason: error.message }
  }
  busy = false
  $('pay-now').classList.remove('busy')
  if (out.ok) {
    picked = null
    $('paste').value = ''
    tell(true, 'Paid', sats(out.amount_msat) + ' sat in ' + (out.took_ms / 1000).toFixed(2) + ' s', out.action)
  } else {
    tell(false, 'Not paid', sentence(out.reason))
  }
}

$('result-close').addEventListener('click', () => $('result').close())
$('result-action').addEventListener('click', () => $('result').close())
$('pay-now').addEventListener('click', () => pay(current, current.url ? current.amount_msat : ''))
$('over').addEventListener('click', () => pay(current, current.over_msat))
$('under').addEventListener('click', () => pay(current, current.under_msat))
$('late').addEventListener('click', () => {
  armed = armed ? null : { invoice: current, at: Date.parse(current.expires) + lateBy }
  showInvoice()
})

$('paste').addEventListener('input', async () => {
  const text = $('paste').value.trim()
  $('paste-error').hidden = true
  const coins = /^(ethereum:|0x|https:..link\.metamask\.io\/send\/)/i.test(text)
  pasted(coins ? text : '')
  if (coins) return
  if (text === '') {
    picked = null
    return $('pay').hidden ? null : showInvoices()
  }
  const still = () => $('paste').value.trim() === text // it may have changed while the node was asked
  try {
    const invoice = await call('/v1/invoices/decode', { invoice: text })
    if (!still()) return
    picked = { ...invoice, pasted: true }
    armed = null
    await showInvoices()
  } catch (error) {
    if (!still()) return
    $('paste-error').textContent = sentence(error.message)
    $('paste-error').hidden = false
  }
})

$('line-switch').addEventListener('click', () => turnLine($('line-switch'), $('line-switch').dataset.to))
$('line-silence').addEventListener('click', () => turnLine($('line-silence'), 'silent'))

for (const button of document.querySelectorAll('[data-post]')) {
  button.addEventListener('click', async () => {
    button.disabled = true
    try {
      await call(button.dataset.post, JSON.parse(button.dataset.body || '{}'))
      tell(true, 'Done', button.dataset.done)
    } catch (error) {
      tell(false, 'That did not work', sentence(error.message))
    }
    button.disabled = false
  })
}

setInterval(() => { if (current && !$('invoice').hidden) showInvoice() }, 1000)
look()
