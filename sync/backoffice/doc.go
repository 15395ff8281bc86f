// Package backoffice holds no code: it says what the merchant's server, in the
// packages below it, defends itself against, and what it does not.
//
// # Defended, each with a test that attacks it
//
// The internet. No body is unpacked, none is larger than wire.MaxBody, no handler
// runs longer than 30 seconds, each address (an IPv6 line counts as one) has its
// share of requests. Guesses at the password and at enrolment codes are counted in
// the database, one at a time: five from an address, a hundred from all, in fifteen
// minutes. A hash of a password is computed only for a counted guess or a valid
// set-up link, two at once. Codes and links work once and are kept as hashes. The
// log names routes, never paths: one holds a token.
//
// Pages of others in the owner's browser. Cookies are HttpOnly and SameSite=Strict
// (with the __Host- prefix under https); a form must come from our own pages, by
// Sec-Fetch-Site or Origin, and under a name that nobody else's DNS can point here.
// No script runs, inline or not; nothing frames the pages; signing in leads only to
// paths of ours.
//
// Who listens on the line. A request of a till is signed over method, path, body,
// receiver and a counter that only rises, so it works once and nowhere else.
//
// What strangers may ask by design: an enrolment with a code, and everything below
// /o/, where the phones of a till's customers come (package offline). There, a token
// that is malformed, forged, revoked, too old, too large or somebody else's gets one
// answer, byte for byte, after the same work: the tag of every well-formed token is
// computed, with a key of nobody's if it names nobody, and compared in constant time.
// Nothing of a bad token is kept, echoed or logged. A good one can be asked about
// again and again, and always means the same sale, the same price for 300 seconds and
// the same invoice: to replay it is to pay somebody else's coffee. The code leaves
// when the payment is on disk, to whoever holds the token; it is bound to that token
// and worth one sale. Guessing a token means guessing 128 bits; bad ones are counted
// by address, good ones by device, in tables of a fixed size, and a shop's Wi-Fi full
// of bad ones keeps no customer from paying.
//
// Being used against others. The server calls the node and the exchanges of its
// configuration, and no address that anybody sent it: nothing to aim at a shop's own
// network. It never redirects a phone, and takes no host from a request's headers:
// links lead where the configuration says.
//
// Two ways at once. Two wallets, a page and two server processes share one invoice:
// an attempt is in the database, under a unique key, before the node hears of it, and
// its preimage is derived. The next is begun when the node has said that the last
// cannot be paid. Cancelling against paying is the node's to decide, and both sides
// are told the same.
//
// Copied and restored cards. The same counter with another content switches the till
// off, and so does a code that was taken for a payment that the node never had. A
// switched-off till's keys stay dead: it gets a new device's.
//
// A copy of the database. It holds salts and no key: tokens and codes need the file
// offline.secret, which is mode 0600 or the server does not start. A server that has
// lost it does not make another while tills hold keys of the first. What stablecoin
// addresses are computed from is encrypted with a key made of the file backoffice.key.
//
// A till that names another till's addresses as its own is refused, and so is more than
// a till makes; both are alarms. No refusal of the API says back what was sent.
//
// Tills that lie. Records are kept only as the till's own signed chain; another
// history is kept as evidence and raises an alarm. What a till says is escaped in
// pages and disarmed in CSV files. A sum that no shop takes, and more rows than a
// shop's day has, go on the red list and leave the other tills' figures standing.
//
// # Not defended
//
// TLS is a proxy's work, and so are clients that send slowly: there are 256
// connections for all. Name the proxy in trusted_proxies, or everybody behind it is
// one address, and one guesser locks the owner out.
//
// Twenty addresses can keep the owner from signing in by guessing on and on. Who is
// signed in, keys of the API and the tills go on.
//
// A stolen till's key writes records into that till's books, at the rate of an
// address and until the disk is full; it can use up the till's counter, and it makes
// a day slow to fold by filling it. The owner sees a fork as soon as the true till
// is heard again, but there is no way yet to shut one till out. It reads nothing and
// reaches no other till's records.
//
// A till that lies within what a shop could take is believed: the books prove that
// nobody changed what it said, not that it said the truth.
//
// Whoever photographs a till's code can pay it, see its amount, and read its code once
// it is paid, as the customer can: it is of use only at that counter, for that sale.
// Whoever has a till's offline key makes codes of that till alone until the next
// reconciliation; the limits of a till bound what that costs. Whoever can make a
// hundred addresses ask for real tokens of one device can use up that device's 60 a
// minute, and its customers then pay in cash. How long an answer takes tells whether
// the database was asked, which every well-formed token is; differences of a cache or
// a disk below that are not hidden.
//
// A node that lies about what it received, or forgets what it made, is believed or
// leaves payments pending: it is the merchant's own.
//
// Whoever holds the data directory or the server's memory holds everything. There
// is one owner and no second factor. A code that is sent over plain http can be used
// by whoever reads it first.
package backoffice
