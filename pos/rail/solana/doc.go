// Package solana takes stablecoins on Solana.
//
// Promise. The till has no key. A customer pays into the merchant's own token account;
// two things tell whose money it is: a reference of 32 random bytes that the customer's
// wallet puts into the transaction (Solana Pay), and an amount that no other open
// request has. Both are on the till's disk before anybody sees them. What a transaction
// added to the merchant's balance, as certain as the policy wants and by as many
// operators as it wants, is paid; nothing else is, and the order of a transaction's
// instructions means nothing. The rest of a payment that came short is such an amount, too:
// it is held for it alone before it is shown, at most a cent above what is missing, which
// is the shop's and is told as paid exactly; where none can be held, the reference alone
// finds the rest. An endpoint that is silent, odd, old, of another cluster,
// or of another mind than the second, gives an error, never "paid" and never "unpaid".
//
// Found and named. Money that comes short, over, late or twice, another token of the
// registry, or the cluster's own coin, is told to the cashier or the owner. What comes after
// a payment's last word, and what no request asked for, is final before it is told (Found),
// and has one name for good, whatever the till forgets; no money is ever a payment's and that. A
// transaction that names two open requests pays neither, and a manager decides: they are
// in doubt until nothing more is waited for (coin.WatchFor after their end), for until
// then each can be paid by its own; then they have failed, and are asked about no more.
// Nothing is ever sent back by itself.
//
// How. A Watcher makes rounds: one request reads the cluster's clock and the balance of
// each of the owner's token accounts, at one slot, and looks for some references. That
// is a hint. An account whose balance changed is listed, each new signature's
// transaction is read once, and given to its payment: by its reference, or else by its
// amount, unless its transfer carries a reference that is not ours. What the policy
// wants beyond that is asked for again. So the cost of a round does not grow with the
// number of open requests. Nobody hears "nothing came" while something listed was not
// read. A Rail is one token and has the methods of the desk.
//
// Before a token is offered: the cluster's genesis hash, the mint's decimals and
// program, that the owner is a wallet and no token account, and that the owner's
// account of the token is there, is his, and is not frozen. A wallet cannot make that
// account when a request is scanned.
//
// Clocks. The cluster's own time decides what an end was, and may not run ahead of the
// till's monotonic clock; the till's wall clock may stand at 1970. An endpoint is stale
// when its slots stop, and, while Options.ClockTrusted vouches for the wall clock, when
// its clock is off.
//
// Damage. Without the book, the references in the till's records find the money; rests
// that were held are not in them, so another sale may be given such an amount. A
// damaged book stops the rail until the owner decides. A transaction that the cluster
// takes back after the sale was complete is told as lost, with an alarm. Notices do not
// outlive a restart. Without the note of what payments were closed with, nothing is told of
// money of before that no request asked for.
//
// Limits. With one endpoint, small sums are as true as that endpoint: the policy says
// how small. A wallet that drops the reference and changes the amount pays into no
// sale: a manager decides. Nobody's money is found while a request is watched, until a day
// beyond its end, and not else; what carries a reference that is not ours is another till's, or another
// shop system's. Tills that are paid at one wallet must be numbered (Till,
// Tills), or a payment without reference may fit two of them. Transfers that hide
// their amount are not seen. After a day off, thousands of strangers' payments to the
// same account delay what has no reference.
package solana
