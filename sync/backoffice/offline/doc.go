// Package offline answers for tills that have no line: the backoffice's half of
// OFFPAY-1 (see pos/offpay). A customer's phone brings a till's token here, pays the
// merchant's own Lightning node, and takes the code back to the counter.
//
// Promise. The code leaves only when the node's word that the invoice is settled is
// on disk (or inside a LUD-10 action, which only the preimage opens). A sale has one
// payable invoice at most, however many wallets, pages and server processes ask at
// once: an attempt is on disk before the node hears of it, its preimage is derived
// from the token and the attempt, and the next one begins when the node has
// confirmed that nobody can pay the last. Every invoice is followed until the node
// says its final word; silence is pending, never unpaid. Each token ends as one of
// settled, orphan (paid, and no sale took it: the owner's refund list), unpaid, or
// refuted (a code was taken and nothing was paid: alarm, and the till may not sell
// offline any more), whether the till asks, its records tell, or neither.
//
// What a stranger learns. A token that is not ours, or not any more, gets the same
// answer after the same work, whatever is wrong with it. A good one shows what its
// holder could read off the till's screen, and the code once it is paid.
//
// Keys. A device's key is HMAC-SHA256(secret, device, epoch, random salt). The
// secret is a file of mode 0600; the salts are in the database. A copy of the
// database, or a backup without the file, opens no token and makes no code; nor does
// the file without the database. Whoever has both, or the server's memory, makes
// every till's codes.
//
// Disabled, revoked, over. A till that is switched off, an epoch past its 72 hours
// and a token past its time begin nothing new. A sale whose invoice was made goes
// on to be shown: who has paid must see the code.
//
// Damage. A node that was put back from a copy leaves what it has forgotten pending,
// and so does one that deletes what expires, while nobody is here to withdraw it in
// time. A database that came back from a backup finds the
// invoices that it lost by their derived hashes before a sale is closed.
//
// Limits. Bad tokens 30 a minute and address, good ones 60 a minute and device; the
// tables for both have a fixed size. No request makes the server call any address
// but the node's.
package offline
