// Package coin is what all stablecoin rails have in common, whatever their chain is.
//
// Dust. People type four decimals (Shown); a token counts up to eighteen. What is less
// than one such step is dust: nobody can be asked for it, for nobody can send it by
// hand, and nobody can give it back. So no amount that a person types has any of it:
// a rest is asked for in whole steps, rounded up, and what a sale is found to have
// brought beyond its price is told in whole steps, rounded down. A sale that lacks no
// more than dust is paid, and one that has no more than dust on top is paid exactly.
//
// The bound is the step itself, because rounding a rest up adds less than one, however
// many parts were paid before: each rest is made anew of all that came. A step of a
// dollar's token is a hundredth of a cent, a fiftieth of what rounding a price to cents
// can cost, and far below what sending it costs. The damage is as much a sale: dust that
// came on top is the shop's and in no record; dust that lacks is in the record as short.
package coin
