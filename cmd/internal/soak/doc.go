// Package soak proves the till's promise that nothing is lost: it takes the power
// away at every write, sync, rename, truncation and directory sync of long random
// days at the counter, starts the till again, and counts.
//
// Method. A day is lived once: a real desk over a real journal on a disk made of
// code (journaltest.Disk) and a real ledger in a real file, with a random client,
// a payment network and a backoffice beside it. Behind every call to the disk a copy
// of it is kept, and every commit of the ledger's file. From each copy come several
// crashes: what was not synced survives as a prefix, in any sectors, or all of it
// with the kernel when only the process died. The ledger's file is what it was then,
// an older one, a commit torn at any of its pages, damaged, or gone: nothing orders
// the two files. Each crash is recovered from by the real till, a part of them with
// another crash behind each call of the recovery itself.
//
// What must hold then is in check_test.go: what a client was told is there, once;
// the chain verifies; receipt numbers have no gap; the turnover is the sum of the
// sales; the till serves. Storage that lies (an old copy of a file, an end that was
// never written) must be said to a person, and no number may come twice.
//
// `go test` tries a thousand crashes and more; `make soak` a hundred thousand, in a
// quarter of an hour at most on two cores, and prints one table.
//
// Limits. The disk is made of code: what a real card does beyond POSIX is for a test
// with one. A sync that fails keeps a prefix of what it was to write, or some sectors
// of it, but not one across the other: then a record that nobody was promised can be
// fenced as damage instead of cut, which costs a number and raises an alarm. Signatures of the whole chain are checked for a sample, the links always.
package soak
