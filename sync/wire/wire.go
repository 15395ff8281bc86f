// Package wire is the protocol between a till and its backoffice: what travels,
// who signs it, and the till's end of it.
//
// Promise. Records travel as their exact lines, so what the backoffice keeps is
// what the till signed, byte for byte. Every request is signed by the till's key
// over method, path, body, receiver and a counter that only rises: a request that
// somebody caught and sends again is refused for ever, and no clock has to be
// right for that. Every word of the backoffice that moves the till's books (held
// up to here, a fork here) is a checkpoint signed by the backoffice's key, and the
// Client passes on none that it did not check.
//
// Limits. A batch is MaxBatch records and MaxBody bytes. The bodies are signed,
// not encrypted: that is what https is for, and the Client refuses plain http to
// any host but this one unless it is told AllowPlain.
//
// Damage. An answer that is not signed, not whole or not about this till is
// Corrupt, and counts as no answer at all.
package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Limits of one request. Both ends hold them.
const (
	// MaxBatch is the most records in a request: a second's work of a small
	// server, most of it spent on checking signatures.
	MaxBatch = 500
	// MaxBody is the most bytes in a request: room for BatchBytes and the one
	// record that passed it.
	MaxBody = BatchBytes + pos.MaxLine
	// BatchBytes is how full a sender makes a batch: half a minute on a line of
	// 256 kbit/s, well inside every time-out on the way.
	BatchBytes = 1 << 20
)

// ContentType is that of records in a request: their lines, one after the other.
const ContentType = "application/x-ndjson"

// EnrolPath is where a till enrols.
const EnrolPath = "/v1/enrolments"

// RecordsPath is where a till's records are posted, below the backoffice's URL.
func RecordsPath(till string) string { return "/v1/tills/" + till + "/records" }

// Accepted is the backoffice's answer to records.
type Accepted struct {
	AcceptedTo uint64         `json:"accepted_to" doc:"Number up to which every record is held for good"`
	Checkpoint pos.Checkpoint `json:"checkpoint" doc:"The same, with the record's hash, signed by the backoffice"`
}

// Enrolment is what a till sends to enrol. The request is signed by the key in
// Genesis, which proves that the till holds it.
type Enrolment struct {
	Code    string      `json:"code" maxLength:"40" doc:"One-time code, as typed: case, dashes and spaces do not matter"`
	Genesis pos.Genesis `json:"genesis" doc:"First record of the till's journal"`
}

// Welcome is the backoffice's answer to an Enrolment.
type Welcome struct {
	Key  []byte `json:"key" doc:"Ed25519 public key that signs checkpoints"`
	Shop string `json:"shop" doc:"Name of the shop"`
}

// Types of problems that a till acts on. Others are about:blank or named after a
// pos.Kind.
const (
	ProblemGap    = "/problems/gap"
	ProblemFork   = "/problems/fork"
	ProblemReplay = "/problems/replay"
)

// ProblemOf returns the type of a problem of this kind: "/problems/not-found".
func ProblemOf(k pos.Kind) string { return "/problems/" + k.String() }

// ProblemType is the media type of a Problem (RFC 9457).
const ProblemType = "application/problem+json"

// Problem is a refusal as RFC 9457 writes it, with the members this protocol adds.
type Problem struct {
	Type   string `json:"type" doc:"What is wrong, for machines"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail" doc:"What is wrong and what to do, for people"`

	Expected   uint64          `json:"expected,omitempty" doc:"Gap: the number of the next record wanted"`
	Checkpoint *pos.Checkpoint `json:"checkpoint,omitempty" doc:"Gap: the last record held. Fork: the record held under the number sent"`
	After      int64           `json:"after,omitempty" doc:"Replay: the counter must be higher than this"`
	Retry      time.Duration   `json:"-"` // the Retry-After header; 0 for none
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the media type of a problem.
func (p *Problem) ContentType(string) string { return ProblemType }

// GetHeaders returns Retry-After, in whole seconds, when there is one.
func (p *Problem) GetHeaders() http.Header {
	if p.Retry <= 0 {
		return nil
	}
	seconds := int64((p.Retry + time.Second - 1) / time.Second)
	return http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
}

// GapError says that the backoffice lacks records before those it was sent: it
// came back from a backup.
type GapError struct {
	Expected   uint64         // number of the record it wants next
	Checkpoint pos.Checkpoint // what it holds now, signed; lower than what it once held
}

// Error names the number expected.
func (e *GapError) Error() string { return fmt.Sprintf("the backoffice expects record %d", e.Expected) }

// ForkError says that the backoffice holds another record under one of our
// numbers. Its signature is checked.
type ForkError struct{ Fork pos.Fork }

// Error names the number.
func (e *ForkError) Error() string {
	return fmt.Sprintf("the backoffice holds another record %d than this till", e.Fork.N)
}
