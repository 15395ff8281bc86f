// Package sweep brings the owner's stablecoins home: it knows every address that the
// tills gave to customers, counts what lies there, and prepares the transactions that
// move it to the merchant's own wallet.
//
// Promise. There is no key here. A transaction moves money to the treasury that was in
// the address when the customer paid, and nowhere else, whoever sends it; so a broken
// or hostile server can hide money or waste gas, and cannot take any. A balance is
// gone from the list when the newest block that cannot be undone says so. One frozen
// address does not hold the others up. What a till may still look for is moved when the
// owner says so, and not by itself. A batch that was given to sign is kept until
// its money has moved, or the owner gives it up. What its transaction left where it is, is
// named with the reason, as far as the token tells one, and is in no transaction while it
// is refused; each of them has its turn to be tried anew, however many there are. The reason,
// and that a transaction left something, are told by the word of as many operators as a till
// wants for a payment of that size; what fewer say is "cannot verify yet". Money that is
// not there any more is "in your wallet" only where something was ever moved from its
// address.
//
// How. Records of payments are read as tills send them. Addresses with money, and
// those of the last days, are looked at every few minutes, older ones once a day, and
// very old ones once a week: money can come to an address for ever.
//
// A till watches an address for a day, and until its last record says that nothing can
// change any more. What is moved before that, the till has to find in the network's
// history when it was off meanwhile, and not every operator gives it.
//
// Lost tills. A till tells the secret that its addresses are computed from (Keeper); a
// paper sheet holds it too. With it, money at addresses that no record names is found
// (Search), named with its number, and brought home like any other. An address that a
// record names is never among it, and one that a record names later is that sale's from
// then on. "Nothing there" needs every operator's word; doubt is "not known", never zero.
//
// Limits. What lies at named addresses is one operator's word (the next one is asked
// only when it is silent). A transaction that failed as a whole leaves nothing to find it by:
// it is followed when the owner gives its number, and until then its transfer waits to be
// signed, as far as is known. The gas is an estimate, and its price the endpoint's guess.
// Where one operator alone is set up, a search is as true as that one, and says so. A
// search sees what lies there now: of a shop whose records are lost as well, a thousand
// sales in a row that were brought home before look like its end, and the owner lets it
// look further. What comes after a search to an address that held nothing is found by
// the next one.
package sweep
