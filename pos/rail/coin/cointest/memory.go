package cointest

import (
	"io"
	"slices"
	"sync"
)

// Memory is a Store that survives a restart of the till's side. Its zero value is an empty
// disk. It is safe for concurrent use.
type Memory struct {
	mu    sync.Mutex
	b     []byte
	saves int
	fail  error
}

// Kept is a Store that b was saved to.
func Kept(b []byte) *Memory { return &Memory{b: slices.Clone(b)} }

// Load returns a copy of what Save was given last.
func (m *Memory) Load() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.b), m.fail
}

// Save keeps a copy of b.
func (m *Memory) Save(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.b, m.saves = slices.Clone(b), m.saves+1
	}
	return m.fail
}

// Fails makes Load and Save fail with err from now on; nil mends the disk.
func (m *Memory) Fails(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Bytes returns a copy of what is kept.
func (m *Memory) Bytes() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.b)
}

// Put replaces what is kept: nil loses it.
func (m *Memory) Put(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.b = slices.Clone(b)
}

// Saves returns how often something was saved.
func (m *Memory) Saves() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saves
}

// Synced lets several goroutines write to one writer.
type Synced struct {
	W  io.Writer
	mu sync.Mutex
}

// Write passes b on.
func (s *Synced) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.W.Write(b)
}
