// Package offpay is OFFPAY-1: how a till that has no network takes a Lightning
// payment. The customer's phone carries a request out, and a six-digit code back
// that the till checks by arithmetic. This package is the codec, for both ends.
//
// The till draws a Token as the LNURL of https://<host>/o/<token>. The phone asks
// the merchant's backoffice there, which opens the token, makes an invoice, and
// shows the code once the invoice is paid. The cashier types the code.
//
// # Promise
//
// A Token opens only under the keys that sealed it; every single flipped bit, and
// every other spelling of its text, is refused with one and the same error, after
// a comparison in constant time. Two tokens of a till differ, for their counters
// do; should a restored card count twice, equal requests give equal tokens and
// nothing else is given away (the IV is made of the body). A code is bound to all
// 39 bytes of its token. Keys print as [redacted] whatever the verb.
//
// # Limits
//
// A code has six digits: a guess is right once in a million, so the till counts
// tries. Whoever holds a till's Key makes that till's codes; the backoffice finds
// that when it reconciles. No I/O, no clock: age, caps and identity are the
// backoffice's to check.
//
// # Check your own implementation
//
// All integers are big-endian and unsigned, ‖ concatenates, quoted text is ASCII
// without an end mark.
//
//	K     = HKDF-SHA256(ikm = Key, salt = device(5) ‖ epoch(1), info, 32)      RFC 5869
//	K_m, K_e, K_c: info = "offpay1 mac", "offpay1 enc", "offpay1 code"
//	body  = counter(4) ‖ amount(5) ‖ currency(2) ‖ issued(4) ‖ ttl(1)          16 bytes
//	head  = 01 ‖ device(5) ‖ epoch(1)                                           7 bytes
//	tag   = first 16 bytes of HMAC-SHA256(K_m, "OFFPAY1" ‖ head ‖ body)
//	token = head ‖ tag ‖ (body XOR AES-256(K_e, tag))                          39 bytes
//	text  = base64url (RFC 4648, section 5) without padding                    52 characters
//	code  = (first 8 bytes of HMAC-SHA256(K_c, "OFFPAY1 paid" ‖ token)) mod 1,000,000
//	scan  = "OP1:" ‖ counter in decimal ‖ ":" ‖ six digits
//	LNURL = bech32 (BIP 173's checksum, no limit of 90) of "lnurl" and the URL's bytes
//
// One vector, with Key 000102…1f, device a1b2c3d4e5, epoch 1, counter 417, amount
// 1250, currency 978, issued 1795320000, ttl 20:
//
//	body   000001a100000004e203d26b0268c014
//	token  AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP
//	code   009812
//	scan   OP1:417:009812
//
// testdata/offpay1.json holds this and many more: keys, bodies, tokens, codes,
// LNURLs, and tokens that must be refused.
package offpay
