package qr

import "sync"

// cacheMax is the number of codes kept, a text at each of four levels counting as
// four. A counter shows one at a time, a shop with several screens and receipts a
// few; a code of version 40 takes 4 kB and its text as much.
const cacheMax = 32

type key struct {
	text  string
	level Level
}

// entry is what is known of one key, each part found by the first who asks.
type entry struct {
	once sync.Once
	m    Matrix
	err  error

	sizeOnce sync.Once
	size     int
	sizeErr  error
}

// store keeps the newest codes, and lets the first of several callers encode
// while the others wait for it.
type store struct {
	encode  func(key) (Matrix, error)
	measure func(key) (int, error)

	mu    sync.Mutex
	known map[key]*entry
	order [cacheMax]key // a ring: the next one to be replaced stands at next
	next  int
}

var cache = store{encode: encode, measure: measure}

func (s *store) get(k key) (Matrix, error) {
	e := s.entry(k)
	e.once.Do(func() { e.m, e.err = s.encode(k) })
	return e.m, e.err
}

// modules returns the side of k's code with both quiet zones.
func (s *store) modules(k key) (int, error) {
	e := s.entry(k)
	e.sizeOnce.Do(func() { e.size, e.sizeErr = s.measure(k) })
	return e.size, e.sizeErr
}

func (s *store) entry(k key) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.known[k]; e != nil {
		return e
	}
	if s.known == nil {
		s.known = make(map[key]*entry, cacheMax)
	}
	delete(s.known, s.order[s.next])
	e := new(entry)
	s.known[k], s.order[s.next] = e, k
	s.next = (s.next + 1) % cacheMax
	return e
}
