package port

import "sync"

// sensors remembers of which printers the class's status byte can be believed. Many
// cheap ones hold a bit of it for ever, "no paper" among them; one that was seen clear
// is none of those. The zero sensors has seen nothing. It lives as long as the process:
// a port is opened anew for each paper.
type sensors struct {
	mu    sync.Mutex
	clear map[string]bool // by printer
}

// papers are the paper sensors of this till's printers.
var papers sensors

// sensorsMax bounds what is remembered. A till has nine printers at most; one that is
// switched on and off each day fills it in a month, and then is learnt anew.
const sensorsMax = 64

// sensor returns what tells whether the printer of that name has run out of paper, by
// its status byte; see Port.Paper.
func (s *sensors) sensor(name string, status func() (int, error)) func() (out, known bool) {
	return func() (out, known bool) {
		b, err := status()
		if err != nil || b == lpUnset {
			return false, false
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if b&lpNoPaper != 0 {
			return s.clear[name], s.clear[name]
		}
		if s.clear == nil || len(s.clear) >= sensorsMax {
			s.clear = map[string]bool{}
		}
		s.clear[name] = true
		return false, true
	}
}
