// Package sweep brings the owner's stablecoins home: it knows every address that the
// tills gave to customers, counts what lies there, and prepares the transactions that
// move it to the merchant's own wallet.
//
// Promise. There is no key here. A transaction moves money to the treasury that was in
// the address when the customer paid, and nowhere else, whoever sends it; so a broken
// or hostile server can hide money or waste gas, and cannot take any. A balance is
// gone from the list when the newest block that cannot be undone says so. One frozen
// address does not hold the others up. A batch that was given to sign is kept until
// its money has moved, or the owner gives it up.
//
// How. Records of payments are read as tills send them. Addresses with money, and
// those of the last days, are looked at every few minutes, older ones once a day, and
// very old ones once a week: money can come to an address for ever.
//
// Limits. What lies there is one operator's word (the next one is asked only when it
// is silent). The gas is an estimate, and its price the endpoint's guess. An address
// that no record names is not known here: a lost till's are found with its recovery
// sheet.
package sweep
