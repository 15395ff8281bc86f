package sweep

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Overview is what the owner sees.
type Overview struct {
	Networks []NetworkView
	Batches  []BatchView // the newest first
}

// NetworkView is one network with all that lies there.
type NetworkView struct {
	Network
	Looked  time.Time // zero: not yet
	Trouble Reason    // why it was not counted anew
	Ready   bool      // the contract is there
	Heaps   []Heap
}

// Heap is the money of one treasury on one network: what one transaction can move.
type Heap struct {
	Treasury string
	Sums     []Sum     // what can be moved now
	Early    []Early   // what can be moved, and should wait
	Refused  []Early   // what cannot be moved, and why
	Moving   []Sum     // what is in transfers
	Coming   []Sum     // what is not yet certain
	Count    int       // balances of Sums
	More     bool      // more than fit into one transaction
	Oldest   time.Time // of those
	Gas      uint64    // of a transaction that moves what fits
	Cost     string    // in the coin: "0.00013 ETH"; empty while the price is not known
}

// Early is money that is not moved by itself. Of the most of it, its till may still look for
// it: once it is moved, a till that is off now has to find the payment in the network's
// history, for which not every operator is good.
type Early struct {
	Why  Why
	Sums []Sum
}

// Why says why money should not be moved yet.
type Why string

// Reasons, in the order of the page.
const (
	Open   Why = "open"   // its till has not said yet that nothing can change any more
	Young  Why = "young"  // it was asked for less than about a day ago
	Unsaid Why = "unsaid" // a search found it: no till's record names its address
)

var whys = []Why{Open, Young, Unsaid}

// early says why h should wait; empty: it need not.
func early(h store.Holding, now time.Time) Why {
	switch {
	case h.Began.IsZero():
		return Unsaid
	case !h.Closed:
		return Open
	case now.Sub(h.Began) < watched:
		return Young
	}
	return ""
}

// Sum is one token's.
type Sum struct {
	Symbol   string
	Decimals int
	Units    *big.Int
	Count    int
}

// String writes "1234.5 USDC".
func (s Sum) String() string { return quantity(s.Units, s.Decimals) + " " + s.Symbol }

// Quantity writes a whole number of a token's smallest unit for people: "1234.50".
func Quantity(units string, decimals int) string { return quantity(number(units), decimals) }

// quantity writes units with two decimals, and more where they are not zero.
func quantity(units *big.Int, decimals int) string {
	q, err := pos.Asset{ID: "x", Symbol: "x", Decimals: decimals, Shown: min(2, decimals)}.Units(units)
	if err != nil {
		return units.String()
	}
	return q.Number()
}

// Bounds of the pages.
const (
	maxHoldings = 20_000 // a chain's year without a single sweep
	maxBatches  = 30
)

// Gas of a transaction, from above; see evm.Sweep.
const (
	gasBase   = 80_000
	gasAnItem = 95_000
	gasMost   = 1 << 24
)

func gasOf(items int) uint64 { return min(gasBase+gasAnItem*uint64(items), gasMost) }

// Overview returns what lies where, and the newest batches. It fails as Store does.
func (s *Sweeper) Overview(ctx context.Context) (Overview, error) {
	hs, err := s.store.SweepHoldings(ctx, maxHoldings)
	if err != nil {
		return Overview{}, err
	}
	bs, err := s.store.SweepBatches(ctx, maxBatches)
	if err != nil {
		return Overview{}, err
	}
	var o Overview
	now := time.Now()
	for _, n := range s.chains.Networks() {
		st := s.stateOf(n.Key)
		v := NetworkView{Network: n, Looked: st.looked, Trouble: st.trouble, Ready: st.ready}
		for _, h := range hs {
			if h.Network == n.Key {
				v.add(h, now)
			}
		}
		for i := range v.Heaps {
			v.Heaps[i].price(n, st)
		}
		o.Networks = append(o.Networks, v)
	}
	for _, b := range bs {
		o.Batches = append(o.Batches, s.view(b))
	}
	return o, nil
}

func (s *Sweeper) stateOf(network string) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nets[network]
}

// add puts a balance into its treasury's heap.
func (v *NetworkView) add(h store.Holding, now time.Time) {
	i := slices.IndexFunc(v.Heaps, func(p Heap) bool { return p.Treasury == h.Deposit.Treasury })
	if i < 0 {
		i, v.Heaps = len(v.Heaps), append(v.Heaps, Heap{Treasury: h.Deposit.Treasury})
	}
	p := &v.Heaps[i]
	newest, final, why := number(h.Newest), number(h.Final), early(h, now)
	switch {
	case h.Batch != 0 || newest.Sign() == 0:
		p.Moving = plus(p.Moving, h, newest)
	case h.Why != "":
		p.Refused = aside(p.Refused, refusals, Why(h.Why), h, newest)
	case final.Sign() == 0:
		p.Coming = plus(p.Coming, h, newest)
	case why != "":
		p.Early = aside(p.Early, whys, why, h, newest)
	case p.Count == MaxItems:
		p.More = true
	default:
		p.Sums = plus(p.Sums, h, newest)
		if p.Count++; p.Oldest.IsZero() || h.Deposit.Made.Before(p.Oldest) {
			p.Oldest = h.Deposit.Made
		}
	}
}

// aside puts a balance to those of its reason, in an order of reasons.
func aside(list []Early, order []Why, why Why, h store.Holding, units *big.Int) []Early {
	of := func(e Early) bool { return e.Why == why }
	if !slices.ContainsFunc(list, of) {
		list = append(list, Early{Why: why})
		slices.SortFunc(list, func(a, b Early) int { return slices.Index(order, a.Why) - slices.Index(order, b.Why) })
	}
	e := &list[slices.IndexFunc(list, of)]
	e.Sums = plus(e.Sums, h, units)
	return list
}

func number(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return new(big.Int)
	}
	return n
}

func plus(sums []Sum, h store.Holding, units *big.Int) []Sum {
	i := slices.IndexFunc(sums, func(s Sum) bool { return s.Symbol == h.Symbol && s.Decimals == h.Decimals })
	if i < 0 {
		i, sums = len(sums), append(sums, Sum{h.Symbol, h.Decimals, new(big.Int), 0})
	}
	sums[i].Units.Add(sums[i].Units, units)
	sums[i].Count++
	return sums
}

// price says what moving a heap costs about.
func (p *Heap) price(n Network, st state) {
	if p.Count == 0 {
		return
	}
	p.Gas = gasOf(p.Count)
	if st.price != nil {
		p.Cost = cost(p.Gas, st.price) + " " + n.Coin
	}
}

// cost writes gas times price in the coin, rounded up to two digits that count.
func cost(gas uint64, price *big.Int) string {
	const decimals = 18
	wei := new(big.Int).Mul(new(big.Int).SetUint64(gas), price)
	if digits := len(wei.String()); digits > 2 {
		step := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits-2)), nil)
		wei.Add(wei, new(big.Int).Sub(step, big.NewInt(1))).Quo(wei, step).Mul(wei, step)
	}
	return quantity(wei, decimals)
}

// Prepare makes a batch of what can be moved to a treasury on a network, the oldest
// first, and returns its number. With too, what should wait is moved as well, behind the
// rest: see Early for what that risks. What the network says would be refused is left out.
// It blocks for the network, 10 s at most. It fails with Conflict when there is nothing,
// with NotFound for a network that is not set up here, and as Store does.
func (s *Sweeper) Prepare(ctx context.Context, network, treasury string, too bool) (int64, error) {
	const op = "prepare transfer"
	if !slices.ContainsFunc(s.chains.Networks(), func(n Network) bool { return n.Key == network }) {
		return 0, pos.Say(op, pos.NotFound, nil, "bo_sc_no_network")
	}
	hs, err := s.store.SweepHoldings(ctx, maxHoldings)
	if err != nil {
		return 0, err
	}
	b := store.Batch{Network: network, Treasury: treasury, Made: time.Now(), UpTo: s.stateOf(network).number}
	hs = slices.DeleteFunc(movable(hs, too, b.Made), func(h store.Holding) bool { return h.Network != network || h.Deposit.Treasury != treasury })
	if hs, err = s.allowed(ctx, network, hs); err != nil {
		return 0, err
	}
	for _, h := range hs {
		b.Items = append(b.Items, store.BatchItem{Address: h.Address, Token: h.Token, Symbol: h.Symbol, Decimals: h.Decimals, Units: h.Newest, Reference: h.Deposit.Reference})
	}
	if len(b.Items) == 0 {
		return 0, pos.Say(op, pos.Conflict, nil, "bo_sc_no_money")
	}
	if _, err := s.chains.Sweep(network, items(b.Items)); err != nil { // before anything is kept
		return 0, err
	}
	return s.store.SweepMake(ctx, b)
}

// movable returns what can be moved, and with too behind it what should wait.
func movable(hs []store.Holding, too bool, now time.Time) []store.Holding {
	var ready, later []store.Holding
	for _, h := range hs {
		switch {
		case h.Batch != 0 || h.Why != "" || number(h.Newest).Sign() == 0 || number(h.Final).Sign() == 0:
		case early(h, now) == "":
			ready = append(ready, h)
		case too:
			later = append(later, h)
		}
	}
	return append(ready, later...)
}

func items(list []store.BatchItem) (out []Item) {
	for _, it := range list {
		out = append(out, Item{it.Reference, it.Token})
	}
	return out
}

// BatchView is a batch as the owner sees it.
type BatchView struct {
	store.Batch
	Name   string // of the network
	Items  []ItemView
	Sums   []Sum      // of all of it
	Moved  int        // items that left their address
	Done   int        // items that did for certain
	Gone   int        // items that are not there, and were not moved
	Left   []ItemView // items that wait, and were refused or left there by a transaction
	Unsure []ItemView // items that wait, of which too few operators say that a transaction left them there
	Stuck  int        // items that stayed while others left, and nobody knows why
	Told   Told       // the transaction that the owner named, while something waits
	Gas    uint64     // of a transaction of what can be moved
	Cost   string     // at today's price of gas
}

// ItemView is one balance of a batch as the owner sees it.
type ItemView struct {
	store.BatchItem
	Tx    string // the last transaction that left it there; empty: none is known
	Doubt string // who alone says that one did: "Operator 1"; empty: nobody, or enough do
}

// Open reports that the batch waits for something.
func (b BatchView) Open() bool { return b.Ended.IsZero() }

// Sent reports that a transaction is known to have tried it.
func (b BatchView) Sent() bool {
	return b.Moved > 0 || slices.ContainsFunc(b.Left, func(it ItemView) bool { return it.Tx != "" })
}

func (s *Sweeper) view(b store.Batch) BatchView {
	v := BatchView{Batch: b, Name: b.Network}
	for _, it := range b.Items {
		v.add(s.item(b, it))
	}
	if v.Moved == 0 {
		v.Stuck = 0
	}
	if list := signable(b); len(list) > 0 && v.Open() {
		v.Told = Told(b.Sent)
	}
	v.Gas = gasOf(len(signable(b)))
	for _, n := range s.chains.Networks() {
		if n.Key == b.Network {
			v.Name = n.Name
			if st := s.stateOf(n.Key); st.price != nil {
				v.Cost = cost(v.Gas, st.price) + " " + n.Coin
			}
		}
	}
	return v
}

// item is one balance with what is believed of it. Of one that does not wait, nothing is.
func (s *Sweeper) item(b store.Batch, it store.BatchItem) ItemView {
	v := ItemView{BatchItem: it}
	if it.State != store.ItemWaiting || !b.Ended.IsZero() {
		return v
	}
	tx, doubt := s.left(b.Network, it)
	v.Tx, v.Doubt = tx, strings.Join(doubt, ", ")
	return v
}

// add counts an item.
func (v *BatchView) add(it ItemView) {
	v.Items = append(v.Items, it)
	v.Sums = plus(v.Sums, store.Holding{Symbol: it.Symbol, Decimals: it.Decimals}, number(it.Units))
	switch {
	case it.State == store.ItemDone:
		v.Done++
		v.Moved++
	case it.State == store.ItemMoved:
		v.Moved++
	case it.State == store.ItemGone:
		v.Gone++
	case v.Open() && (it.Why != "" || it.Tx != ""):
		v.Left = append(v.Left, it)
	case it.Doubt != "":
		v.Unsure = append(v.Unsure, it)
	default:
		v.Stuck++
	}
}

// signable are the items that a transaction of a batch can move: those that wait, and are
// not refused.
func signable(b store.Batch) []store.BatchItem {
	return slices.DeleteFunc(slices.Clone(b.Items), func(it store.BatchItem) bool { return it.State != store.ItemWaiting || it.Why != "" })
}

// Batch returns a batch and the transaction of what waits in it and can be moved, which is
// made anew from the records: the same one each time while nothing happens. There is none
// when nothing is left to sign. It fails with NotFound.
func (s *Sweeper) Batch(ctx context.Context, id int64) (BatchView, Transaction, error) {
	b, err := s.store.SweepBatch(ctx, id)
	if err != nil {
		return BatchView{}, Transaction{}, err
	}
	list := signable(b)
	if len(list) == 0 || !b.Ended.IsZero() {
		return s.view(b), Transaction{}, nil
	}
	t, err := s.chains.Sweep(b.Network, items(list))
	return s.view(b), t, err
}

// Deploy returns the transaction that makes sweeping possible on a network.
func (s *Sweeper) Deploy(network string) (Transaction, error) { return s.chains.Deploy(network) }

// Drop gives a batch up.
func (s *Sweeper) Drop(ctx context.Context, id int64) error {
	if _, err := s.store.SweepBatch(ctx, id); err != nil {
		return err
	}
	return s.store.SweepDrop(ctx, id, time.Now())
}

// FileName names a batch's file on the owner's computer.
func (b BatchView) FileName(kind string) string {
	return fmt.Sprintf("transfer-%d-%s-%s.json", b.ID, b.Network, kind)
}
