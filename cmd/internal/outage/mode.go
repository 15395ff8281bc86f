package outage

import "time"

// Mode is how a link behaves.
type Mode int

// Modes of a link, the whole one first.
const (
	Whole       Mode = iota
	Cut              // dialling is refused, and what was connected is reset
	Unreachable      // nothing comes back: dialling hangs, what was connected is silent for good
	Nameless         // names are not resolved; what was connected is silent for good
	HalfOpen         // dialling succeeds and nobody answers; what was connected is silent for good
	Slow             // every piece is late, and few bytes pass in a second
	Flapping         // whole and cut in turn, every few seconds
	Portal           // somebody else answers: 200 and a page that asks for a sign-in
	Redirect         // somebody else answers: 302 to such a page
	Impostor         // somebody else answers: 200 and JSON that suits nobody, or suits too well
)

var modeNames = [...]string{"whole", "cut", "unreachable", "nameless", "half-open", "slow", "flapping", "portal", "redirect", "impostor"}

// String returns the mode's name.
func (m Mode) String() string { return modeNames[m] }

// Modes are all modes but Whole.
var Modes = []Mode{Cut, Unreachable, Nameless, HalfOpen, Slow, Flapping, Portal, Redirect, Impostor}

// lies reports that somebody else answers.
func (m Mode) lies() bool { return m == Portal || m == Redirect || m == Impostor }

// mute reports that what was connected is silent from now on.
func (m Mode) mute() bool { return m == Unreachable || m == Nameless || m == HalfOpen }

// What a bad line does.
const (
	// SynTimeout is when Linux gives up dialling: tcp_syn_retries is 6, so after
	// 1+2+4+8+16+32+64 s (tcp(7)).
	SynTimeout = 127 * time.Second
	// NameTimeout is when a resolver gives up: 2 attempts of 5 s at each of 2 servers
	// (resolv.conf(5)).
	NameTimeout = 20 * time.Second
	// Latency and BytesPerSecond are a slow link's: a phone at the edge of its cell.
	Latency        = 250 * time.Millisecond
	BytesPerSecond = 8 << 10
	// flapMin and flapMax bound how long a flapping link stays as it is.
	flapMin = 2 * time.Second
	flapMax = 12 * time.Second
)
