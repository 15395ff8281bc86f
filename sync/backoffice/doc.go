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
// Whoever holds the data directory or the server's memory holds everything. There
// is one owner and no second factor. A code that is sent over plain http can be used
// by whoever reads it first.
package backoffice
