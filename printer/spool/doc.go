// Package spool brings waiting papers to the printer, one after the other, and
// opens the drawer.
//
// Promise. A dead printer holds up nothing but its own papers: nobody ever waits
// for Wake, and no method of the queue is called while the printer is waited for.
// A receipt has one original at most. Begin is durable before the first byte goes
// out; whatever breaks after that (paper, cable, power, the till), the next try
// says COPY. The drawer comes first: it opens before the paper is even made, also
// when the printer has no paper, also while a long paper is printing, and also
// when papers wait in front of it, if the queue can tell (Drawers).
//
// Nothing comes late: a drawer older than pos.DrawerWithin stays shut, a receipt
// older than pos.ReceiptWithin is dropped, with a reason that the queue records.
// So no flood of old paper comes out when the roll is changed in the evening, and
// no drawer opens by itself. Ages are counted from when the spool first saw a job,
// so that a clock that jumps makes nothing old or young. What is found waiting at
// the start is from before a power cut: its drawer stays shut.
//
// Several printers have a Spool each, with a queue and a name of its own: a kitchen
// whose printer is off holds up no receipt. Tickets follow the same rules, and expire
// after pos.TicketWithin: whoever owns the queue hears of it by Drop, and tells the
// cashier. One that was taken back before its first byte is never begun.
//
// The link says what a person can mend: whatever failed, the printer's own word goes before
// "check the cable". A printer that never answers, but whose cable tells of its roll (many
// on USB), has not printed a paper that it only took into its memory: the paper is done
// when the roll has lasted for it, and else comes again, marked.
//
// Damage. A paper that breaks off maxBreaks times is dropped: it would eat the
// roll. A receipt that cannot be made is dropped; the ones behind it are printed.
// If Done fails after printing, a copy too many comes out; never an original.
package spool
