package pos

import (
	"errors"
	"fmt"
)

// Kind says what a caller can do about an error. Kinds travel and are kept by
// name; the zero Kind is the careful one.
type Kind uint8

// Kinds, from the careful one on.
const (
	Internal    Kind = iota // a bug or broken hardware; tell the operator
	Invalid                 // the request is wrong; fix it, do not retry
	NotFound                // no such sale, item, payment
	Conflict                // the sale is not in a state that allows this
	Unavailable             // try again later; nothing was changed
	Corrupt                 // kept bytes fail their check; stop and keep them
	Forbidden               // the one who asks may not do this
	Exhausted               // too many tries; wait
)

var kindNames = [...]string{"internal", "invalid", "not-found", "conflict", "unavailable", "corrupt", "forbidden", "exhausted"}

// String returns the name that travels, "internal" for an unknown Kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// ParseKind is the reverse of String. A name it does not know is Internal.
func ParseKind(name string) Kind {
	for i, n := range kindNames {
		if n == name {
			return Kind(i)
		}
	}
	return Internal
}

// Error is a failure the till understands. Msg is safe to show a cashier. Err,
// the cause, is for the log only: it may hold node addresses or file paths.
type Error struct {
	Op   string // what was being done: "open sale", "append record"
	Kind Kind
	Msg  string
	Err  error

	key  string   // of Msg among the words; empty: Msg is what it is in any language
	with []string // what stands in it
}

// Say makes an Error whose sentence is the word key, with the pairs of Word in with.
// err, its cause, may be nil.
func Say(op string, k Kind, err error, key string, with ...string) *Error {
	return &Error{Op: op, Kind: k, Msg: Word("en", key, with...), Err: err, key: key, with: with}
}

// In returns Msg in lang where the words have it, else Msg.
func (e *Error) In(lang string) string {
	if e.key == "" {
		return e.Msg
	}
	return Word(lang, e.key, e.with...)
}

// Word returns the key of Msg among the words and the pairs that stand in it, for who keeps
// a sentence for readers of several languages; an empty key: Msg has none.
func (e *Error) Word() (key string, with []string) { return e.key, e.with }

// Error returns operation, message and cause, for the log.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Op + ": " + e.Msg
	case e.Msg == "":
		return e.Op + ": " + e.Err.Error()
	default:
		return e.Op + ": " + e.Msg + ": " + e.Err.Error()
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// E makes an Error without a cause. The message is a sentence for a cashier.
func E(op string, k Kind, format string, args ...any) *Error {
	return &Error{Op: op, Kind: k, Msg: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error with a cause and a sentence for a cashier.
func Wrap(op string, k Kind, err error, format string, args ...any) *Error {
	return &Error{Op: op, Kind: k, Msg: fmt.Sprintf(format, args...), Err: err}
}

// KindOf returns the Kind of the first Error in err's tree, else Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
