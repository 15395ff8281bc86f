// What both halves of the phone use: Lightning (wallet.js) and stablecoins (coins.js).

export const $ = (id) => document.getElementById(id)

export async function call(path, body) {
  const options = body === undefined ? {} : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(path, options)
  const answer = await response.json()
  if (!response.ok) throw Object.assign(new Error(answer.detail), { status: response.status })
  return answer
}

// grouped sets thin spaces into 11991556; text in, text out.
export function grouped(text) {
  const [whole, part] = text.split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') + (part ? '.' + part : '')
}

export function element(name, options = {}, ...children) {
  const e = Object.assign(document.createElement(name), options)
  e.append(...children)
  return e
}

export function clock(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000))
  return Math.floor(s / 60) + ':' + String(s % 60).padStart(2, '0')
}

export const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.')

// showAction shows what comes after a payment: a link, or a text.
export function showAction(a, p, action) {
  a.hidden = !action?.url
  if (action?.url) {
    a.href = action.url
    a.textContent = action.description || 'Open'
  }
  p.hidden = !action?.message
  p.textContent = action?.message || ''
}

export function tell(ok, title, text, action) {
  showAction($('result-action'), $('result-message'), action)
  $('result').classList.toggle('no', !ok)
  $('sign').textContent = ok ? '✓' : '×'
  $('result-title').textContent = title
  $('result-text').textContent = text
  if (!$('result').open) $('result').showModal()
}

// link leads to where a shop wants its customer after paying; the wallet has checked
// that it is the shop's own.
const link = (action) => element('a', { href: action.url, target: '_blank', rel: 'noopener', textContent: action.description || 'Open' })

const kept = { lightning: [], coins: [] }

// activity shows the list of one half among that of the other.
export function activity(half, list) {
  kept[half] = list
  const all = [...kept.lightning, ...kept.coins].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, 20)
  $('recent').hidden = all.length === 0
  $('activity').replaceChildren(...all.map((a) => {
    const when = new Date(a.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
    return element('li', { className: a.ok ? '' : 'no' },
      element('span', { className: 'mark', textContent: a.ok ? '↑' : '×' }),
      element('div', { className: 'what' },
        element('p', { textContent: a.description || 'Payment' }),
        element('p', { className: 'quiet', textContent: [when, a.where, a.ok ? '' : a.reason].filter(Boolean).join(' · ') }, ...(a.action?.url ? [' · ', link(a.action)] : []))),
      element('span', { className: 'sum', textContent: a.amount ? grouped(a.amount) : grouped(a.amount_sat) + ' sat' }))
  }))
}
