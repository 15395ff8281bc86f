// Package staff keeps who may use the till, and their PINs, in one file.
//
// Promise. The file holds no PIN, only Argon2id hashes (RFC 9106) with a salt
// each; it is replaced whole, durably, readable by its owner alone. Five wrong
// PINs in a row lock a person out for half a minute, every further one for twice
// as long, up to a quarter of an hour; pulling the plug does not shorten that,
// for the count is on flash before the answer leaves, and a lock begins anew at
// each start. A PIN is checked in constant time, and an unknown person costs the
// same work as a known one.
//
// Limit. A PIN of four digits guards a counter, not a vault: who steals the file
// can try ten thousand of them in minutes. Nothing at the till can spend.
package staff

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/file"
)

const (
	// Argon2id with OWASP's second set of parameters: 19 MiB, two passes, one lane.
	// More memory would not fit a 512 MB board beside everything else.
	memoryKiB = 19 << 10
	passes    = 2
	lanes     = 1
	hashLen   = 32
	saltLen   = 16

	minPIN = 4
	maxPIN = 12

	// maxPeople bounds the file and the buttons on the sign-in screen.
	maxPeople = 50

	freeTries = 5
	firstLock = 30 * time.Second
	longLock  = 15 * time.Minute
)

// person is one entry of the file.
type person struct {
	pos.Actor
	Salt  []byte `json:"salt"`
	Hash  []byte `json:"hash"`
	Wrong int    `json:"wrong,omitempty"` // wrong PINs in a row

	until time.Time // locked until then, by the monotonic clock
}

// Store is safe for concurrent use. PINs are checked one at a time, so that a
// storm of tries cannot take the board's memory.
type Store struct {
	path string

	mu     sync.Mutex
	people []person

	hashing sync.Mutex
}

// Open reads the file at path. A file that is not there is a till without PINs.
// It fails with Corrupt when the file cannot be read as one of ours.
func Open(path string) (*Store, error) {
	s := &Store{path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read staff file: %w", err)
	}
	if err := json.Unmarshal(text, &s.people); err != nil {
		return nil, pos.Wrap("read staff file", pos.Corrupt, err, "the file of PINs is damaged; move it away and run: till staff add NAME")
	}
	for i := range s.people {
		s.people[i].lock(time.Now())
	}
	return s, nil
}

// Names returns who may sign in, in the order they were added.
func (s *Store) Names() []pos.Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]pos.Actor, 0, len(s.people))
	for _, p := range s.people {
		out = append(out, p.Actor)
	}
	return out
}

// Put adds a person, or gives the one with this ID a new PIN, role and name. It
// fails with Invalid for a PIN that is not 4 to 12 digits or is one that everybody
// tries first, and with Conflict when the file is full.
func (s *Store) Put(a pos.Actor, pin string) error {
	if err := goodPIN(pin); err != nil {
		return err
	}
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails (crypto/rand)
	fresh := person{Actor: a, Salt: salt, Hash: s.hash(pin, salt)}
	s.mu.Lock()
	defer s.mu.Unlock()
	people := append([]person(nil), s.people...)
	if i := find(people, a.ID); i >= 0 {
		people[i] = fresh
	} else if len(people) >= maxPeople {
		return pos.E("add person", pos.Conflict, "%d people may use this till already; remove one first", maxPeople)
	} else {
		people = append(people, fresh)
	}
	return s.replace(people)
}

// Check returns whose PIN it is. It takes some tens of milliseconds on a PC and
// some hundreds on a small board. It fails with Forbidden when the PIN is wrong or
// the person unknown, and with Exhausted while the person is locked out.
func (s *Store) Check(id, pin string) (pos.Actor, error) {
	s.hashing.Lock() // one at a time, from the look at the lock to the new count
	defer s.hashing.Unlock()
	p, err := s.mayTry(id)
	if err != nil {
		return pos.Actor{}, err
	}
	if len(pin) > maxPIN {
		pin = "" // matches nobody, and costs no more than any other
	}
	right := subtle.ConstantTimeCompare(argon2.IDKey([]byte(pin), p.Salt, passes, memoryKiB, lanes, hashLen), p.Hash) == 1
	if p.ID == "" {
		return pos.Actor{}, errWrong()
	}
	if err := s.count(id, right); err != nil {
		return pos.Actor{}, err
	}
	if !right {
		return pos.Actor{}, errWrong()
	}
	return p.Actor, nil
}

// Wrong returns how many wrong PINs were tried in a row for this person.
func (s *Store) Wrong(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := find(s.people, id); i >= 0 {
		return s.people[i].Wrong
	}
	return 0
}

func errWrong() error { return pos.E("sign in", pos.Forbidden, "this PIN is not right") }

// mayTry returns the person to compare with; a blank one for somebody unknown.
func (s *Store) mayTry(id string) (person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := find(s.people, id)
	if i < 0 {
		return person{Salt: make([]byte, saltLen), Hash: make([]byte, hashLen)}, nil
	}
	if left := time.Until(s.people[i].until); left > 0 {
		return person{}, pos.E("sign in", pos.Exhausted, "too many wrong PINs; try again in %s", left.Round(time.Second))
	}
	return s.people[i], nil
}

// count notes a try, durably before anybody learns how it went.
func (s *Store) count(id string, right bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := find(s.people, id)
	if i < 0 || (right && s.people[i].Wrong == 0) {
		return nil
	}
	people := append([]person(nil), s.people...)
	if right {
		people[i].Wrong = 0
	} else {
		people[i].Wrong++
		people[i].lock(time.Now())
	}
	return s.replace(people)
}

// lock sets until by the number of wrong PINs.
func (p *person) lock(now time.Time) {
	if p.Wrong < freeTries {
		return
	}
	wait := longLock
	if n := p.Wrong - freeTries; n < 5 { // 30 s, 1, 2, 4, 8 min, then the longest
		wait = firstLock << n
	}
	p.until = now.Add(wait)
}

func find(people []person, id string) int {
	for i, p := range people {
		if p.ID == id {
			return i
		}
	}
	return -1
}

func (s *Store) hash(pin string, salt []byte) []byte {
	s.hashing.Lock()
	defer s.hashing.Unlock()
	return argon2.IDKey([]byte(pin), salt, passes, memoryKiB, lanes, hashLen)
}

// goodPIN refuses what is not digits, and the first guesses.
func goodPIN(pin string) error {
	if len(pin) < minPIN || len(pin) > maxPIN {
		return pos.E("set PIN", pos.Invalid, "a PIN has %d to %d digits", minPIN, maxPIN)
	}
	same, up, down := true, true, true
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return pos.E("set PIN", pos.Invalid, "a PIN has %d to %d digits", minPIN, maxPIN)
		}
		if i > 0 {
			same = same && pin[i] == pin[i-1]
			up = up && pin[i] == pin[i-1]+1
			down = down && pin[i] == pin[i-1]-1
		}
	}
	if same || up || down {
		return pos.E("set PIN", pos.Invalid, "%s is the first PIN that everybody tries; choose another", pin)
	}
	return nil
}

// replace writes the file whole under another name, makes it durable, and moves
// it into place. s.mu is held.
func (s *Store) replace(people []person) error {
	text, err := json.MarshalIndent(people, "", " ")
	if err != nil {
		return fmt.Errorf("write staff file: %w", err)
	}
	if err := file.Replace(s.path, text); err != nil {
		return pos.Wrap("write staff file", pos.Unavailable, err, "the till's storage is full or failing; nothing was changed")
	}
	s.people = people
	return nil
}
