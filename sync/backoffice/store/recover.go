package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

//go:embed recover.sql
var recoverSchema string

//go:embed runs.sql
var runsSchema string

// Seed is a secret that addresses are made of, as it is kept: sealed.
type Seed struct {
	ID       int64
	Till     string // empty: it came from paper
	Scheme   int
	Treasury string
	Mark     []byte // knows the secret again
	Sealed   []byte
	Kept     time.Time

	State    SearchState
	Far      uint64 // numbers up to this one are searched, whatever lies there
	Last     uint64 // highest number that was ever given out, as far as is known
	Changed  time.Time
	Run      int64         // raised whenever the search is set back to number 1
	Networks []SeedNetwork // those that were looked at
}

// SeedNetwork is how far a search is on one network.
type SeedNetwork struct {
	Network   string
	Next      uint64 // the first number that is not known
	Why       string // it is not known
	Operators int    // the fewest that any part of it rests on
}

// SearchState says what a search does.
type SearchState string

// States of a search; the zero one was never begun.
const (
	SearchAsked   SearchState = "asked"   // it is under way, or will be at once
	SearchStopped SearchState = "stopped" // by the owner, or with the process that did it
	SearchEnded   SearchState = "ended"   // as far as the networks let it
)

// Bounds on what a broken or stolen till can make us keep.
const (
	// seedsMax is for one till: a new one is made when its card is lost, or its owner
	// changes the treasury.
	seedsMax = 32
	// sheetsMax is for all that came from paper.
	sheetsMax = 1000
)

// SeedKeep keeps a seed for good and returns it as it is kept. One that is here stays as
// it is; of one that came from paper it is noted whose it is. It fails with Conflict
// when it is another till's, and with Exhausted when this till sent too many.
func (db *DB) SeedKeep(ctx context.Context, s Seed) (Seed, error) {
	err := db.write(ctx, "keep seed", func(tx *sql.Tx) error {
		var held string
		err := tx.QueryRowContext(ctx, "SELECT id, coalesce(till, '') FROM address_seeds WHERE mark = ? AND scheme = ? AND treasury = ?", s.Mark, s.Scheme, s.Treasury).Scan(&s.ID, &held)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return seedAdd(ctx, tx, &s)
		case err != nil:
			return err
		case s.Till == "" || held == s.Till:
			return nil
		case held != "":
			return pos.Say("keep seed", pos.Conflict, nil, "bo_al_seed_other")
		}
		_, err = tx.ExecContext(ctx, "UPDATE address_seeds SET till = ? WHERE id = ?", s.Till, s.ID)
		return err
	})
	if err != nil {
		return Seed{}, err
	}
	return db.Seed(ctx, s.ID)
}

func seedAdd(ctx context.Context, tx *sql.Tx, s *Seed) error {
	limit, till := seedsMax, any(s.Till)
	if s.Till == "" {
		limit, till = sheetsMax, nil
	}
	var have int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM address_seeds WHERE till IS ?", till).Scan(&have); err != nil {
		return err
	}
	if have >= limit {
		return pos.Say("keep seed", pos.Exhausted, nil, "bo_al_seed_many", "n", strconv.Itoa(have))
	}
	res, err := tx.ExecContext(ctx, "INSERT INTO address_seeds (till, scheme, treasury, mark, sealed, kept, state, far, last, changed) VALUES (?, ?, ?, ?, ?, ?, '', 0, 0, 0)",
		till, s.Scheme, s.Treasury, s.Mark, s.Sealed, stamp(s.Kept))
	if err != nil {
		return err
	}
	s.ID, err = res.LastInsertId()
	return err
}

// Seeds returns all seeds, by till and then the newest first.
func (db *DB) Seeds(ctx context.Context) ([]Seed, error) {
	return db.seeds(ctx, "ORDER BY till IS NULL, till, id DESC")
}

// Seed returns one. It fails with NotFound.
func (db *DB) Seed(ctx context.Context, id int64) (Seed, error) {
	ss, err := db.seeds(ctx, "WHERE id = ?", id)
	if err == nil && len(ss) == 0 {
		err = pos.Say("find seed", pos.NotFound, nil, "bo_not_here")
	}
	if err != nil {
		return Seed{}, err
	}
	return ss[0], nil
}

func (db *DB) seeds(ctx context.Context, where string, args ...any) ([]Seed, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT id, coalesce(till, ''), scheme, treasury, mark, sealed, kept, state, far, last, changed, run FROM address_seeds "+where, args...)
	if err != nil {
		return nil, broken("list seeds", err)
	}
	defer rows.Close()
	var out []Seed
	for rows.Next() {
		var s Seed
		var kept, changed int64
		if err := rows.Scan(&s.ID, &s.Till, &s.Scheme, &s.Treasury, &s.Mark, &s.Sealed, &kept, &s.State, &s.Far, &s.Last, &changed, &s.Run); err != nil {
			return nil, broken("list seeds", err)
		}
		s.Kept, s.Changed = unstamp(kept), unstamp(changed)
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, broken("list seeds", err)
	}
	for i := range out {
		if out[i].Networks, err = db.seedNetworks(ctx, out[i].ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (db *DB) seedNetworks(ctx context.Context, seed int64) ([]SeedNetwork, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT network, next, why, operators FROM seed_networks WHERE seed = ? ORDER BY network", seed)
	if err != nil {
		return nil, broken("read search", err)
	}
	defer rows.Close()
	var out []SeedNetwork
	for rows.Next() {
		var n SeedNetwork
		if err := rows.Scan(&n.Network, &n.Next, &n.Why, &n.Operators); err != nil {
			return nil, broken("read search", err)
		}
		out = append(out, n)
	}
	return out, broken("read search", rows.Err())
}

// SearchSet sets a search's state and how far it goes at least. A search that is asked
// for forgets why networks did not answer, and tries them again.
func (db *DB) SearchSet(ctx context.Context, seed int64, state SearchState, far uint64, at time.Time) error {
	return db.write(ctx, "keep search", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE address_seeds SET state = ?, far = max(far, ?), changed = ? WHERE id = ?", string(state), clampN(far), stamp(at), seed); err != nil {
			return err
		}
		if state != SearchAsked {
			return nil
		}
		_, err := tx.ExecContext(ctx, "UPDATE seed_networks SET why = '' WHERE seed = ?", seed)
		return err
	})
}

// SearchEnd ends a search of s, and reports that: one that was asked for anew since s was
// read, or stopped, stays as it is.
func (db *DB) SearchEnd(ctx context.Context, s Seed, at time.Time) (ended bool, err error) {
	err = db.write(ctx, "keep search", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE address_seeds SET state = ?, changed = ? WHERE id = ? AND state = ? AND run = ? AND changed = ?",
			string(SearchEnded), stamp(at), s.ID, string(SearchAsked), s.Run, stamp(s.Changed))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		ended = n > 0
		return err
	})
	return ended && err == nil, err
}

// SearchForget sets a search back to number 1: a new run. What it found stays.
func (db *DB) SearchForget(ctx context.Context, seed int64) error {
	return db.write(ctx, "keep search", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM seed_networks WHERE seed = ?", seed); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE address_seeds SET run = run + 1 WHERE id = ?", seed)
		return err
	})
}

// SearchPart is what one look of a search saw.
type SearchPart struct {
	Seed int64
	At   time.Time
	Run  int64  // of the seed when the part began
	From uint64 // number that it began at: the network's Next then; 1 when there was none
	SeedNetwork
	Last     uint64    // highest number of the part that was ever given out; 0 for none
	Found    []Found   // addresses with money
	Holdings []Holding // what lies there
}

// Found is an address with money that no record names.
type Found struct {
	N       uint64
	Deposit Deposit
}

// SearchSaw keeps a part of a search: how far it is, and what it found, in one
// transaction. An address that is known by now stays as it is. Of a part that is late,
// because the search began anew or another process was there first, only what it found
// is kept: money is money.
func (db *DB) SearchSaw(ctx context.Context, p SearchPart) error {
	return db.write(ctx, "keep search", func(tx *sql.Tx) error {
		if err := searchMoved(ctx, tx, p); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE address_seeds SET last = max(last, ?) WHERE id = ?", clampN(p.Last), p.Seed); err != nil {
			return err
		}
		fresh := map[string]bool{}
		for _, f := range p.Found {
			is, err := seedFound(ctx, tx, p, f)
			if err != nil {
				return err
			}
			fresh[f.Deposit.Address] = is
		}
		for _, h := range p.Holdings {
			if !fresh[h.Address] {
				continue // the sweep counts it
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO sweep_holdings VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				h.Network, h.Address, h.Token, h.Symbol, h.Decimals, h.Newest, h.Final, stamp(p.At)); err != nil {
				return err
			}
		}
		return nil
	})
}

// searchMoved notes how far a search is, if it is still where the part began.
func searchMoved(ctx context.Context, tx *sql.Tx, p SearchPart) error {
	var run, next int64
	err := tx.QueryRowContext(ctx, "SELECT s.run, coalesce(n.next, 1) FROM address_seeds s LEFT JOIN seed_networks n ON n.seed = s.id AND n.network = ? WHERE s.id = ?", p.Network, p.Seed).Scan(&run, &next)
	if err != nil || run != p.Run || next != clampN(p.From) {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO seed_networks VALUES (?, ?, ?, ?, ?) ON CONFLICT (seed, network)
		DO UPDATE SET next = excluded.next, why = excluded.why, operators = CASE WHEN excluded.operators = 0 THEN operators WHEN operators = 0 THEN excluded.operators ELSE min(operators, excluded.operators) END`,
		p.Seed, p.Network, clampN(p.Next), p.Why, p.Operators)
	return err
}

// seedFound keeps an address, and reports that nobody knew it.
func seedFound(ctx context.Context, tx *sql.Tx, p SearchPart, f Found) (bool, error) {
	d := f.Deposit
	var till any
	if d.Till != "" {
		till = d.Till
	}
	res, err := tx.ExecContext(ctx, "INSERT INTO sweep_deposits VALUES (?, ?, ?, ?, '', ?, ?) ON CONFLICT (address) DO NOTHING",
		d.Address, d.Reference, d.Treasury, till, stamp(d.Made), stamp(d.Next))
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO seed_found VALUES (?, ?, ?, ?)", d.Address, p.Seed, clampN(f.N), stamp(p.At))
	return true, err
}

// SweepKnown returns which of these addresses are counted by the sweep already: records
// name them, or a search found them.
func (db *DB) SweepKnown(ctx context.Context, addresses []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(addresses) == 0 {
		return known, nil
	}
	args := make([]any, len(addresses))
	for i, a := range addresses {
		args[i] = a
	}
	rows, err := db.r.QueryContext(ctx, "SELECT address FROM sweep_deposits WHERE address IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	if err != nil {
		return nil, broken("list addresses", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a string
		if err := rows.Scan(&a); err != nil {
			return nil, broken("list addresses", err)
		}
		known[a] = true
	}
	return known, broken("list addresses", rows.Err())
}

// FoundHolding is money that no sale names.
type FoundHolding struct {
	Holding
	Seed  int64
	N     uint64
	Found time.Time
}

// SearchFound returns the money that no sale names, the highest numbers of each seed
// first; at most limit balances, and only of one seed unless seed is 0. Moved money is
// not among it.
func (db *DB) SearchFound(ctx context.Context, seed int64, limit int) ([]FoundHolding, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT f.seed, f.n, f.at, h.network, h.address, h.token, h.symbol, h.decimals, h.newest, h.final, h.seen, `+depositColumns+`
		FROM seed_found f JOIN sweep_deposits d ON d.address = f.address JOIN sweep_holdings h ON h.address = f.address
		WHERE d.payment = '' AND (?1 = 0 OR f.seed = ?1) ORDER BY f.seed, f.n DESC, h.network, h.token LIMIT ?2`, seed, limit)
	if err != nil {
		return nil, broken("list what was found", err)
	}
	defer rows.Close()
	var out []FoundHolding
	for rows.Next() {
		var f FoundHolding
		var at, seen, made, next int64
		err := rows.Scan(append([]any{&f.Seed, &f.N, &at, &f.Network, &f.Address, &f.Token, &f.Symbol, &f.Decimals, &f.Newest, &f.Final, &seen}, scanDeposit(&f.Deposit, &made, &next)...)...)
		if err != nil {
			return nil, broken("list what was found", err)
		}
		f.Found, f.Seen, f.Deposit.Made, f.Deposit.Next = unstamp(at), unstamp(seen), unstamp(made), unstamp(next)
		out = append(out, f)
	}
	return out, broken("list what was found", rows.Err())
}

// SearchCount returns at how many addresses a seed's searches found money, ever.
func (db *DB) SearchCount(ctx context.Context, seed int64) (n int, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT count(*) FROM seed_found WHERE seed = ?", seed).Scan(&n)
	return n, broken("count what was found", err)
}
