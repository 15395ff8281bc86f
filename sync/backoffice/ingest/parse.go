package ingest

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

// parse reads the records of a body up to the first that is none, and says why
// that one is none. The records keep body.
func parse(body []byte) ([]pos.Record, error) {
	lines, bad := split(body)
	batch, errs := make([]pos.Record, len(lines)), make([]error, len(lines))
	each(len(lines), func(i int) { batch[i], errs[i] = pos.ParseRecord(lines[i]) })
	for i, err := range errs {
		if err != nil {
			return batch[:i], corrupt("bo_al_line", "n", strconv.Itoa(i+1), "why", message(err))
		}
		if batch[i].N == 0 {
			return batch[:i], corrupt("bo_al_number", "n", strconv.Itoa(i+1))
		}
	}
	return batch, bad
}

// split parts a body into lines, newlines included.
func split(body []byte) ([][]byte, error) {
	var lines [][]byte
	for len(body) > 0 {
		if len(lines) == wire.MaxBatch {
			return lines, corrupt("bo_al_many", "n", strconv.Itoa(wire.MaxBatch))
		}
		end := bytes.IndexByte(body, '\n') + 1
		if end == 0 {
			end = len(body)
		}
		lines, body = append(lines, body[:end:end]), body[end:]
	}
	return lines, nil
}

// corrupt is why a record is refused, as a word.
func corrupt(key string, with ...string) *pos.Error {
	return pos.Say("check record", pos.Corrupt, nil, key, with...)
}

// problem tells a till why.
func problem(e *pos.Error) *wire.Problem {
	return &wire.Problem{Type: wire.ProblemOf(pos.Corrupt), Title: "A record fails its check", Status: http.StatusUnprocessableEntity, Detail: e.Msg}
}

// message returns what an error says to people, empty for none.
func message(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*pos.Error](err); ok {
		return e.Msg
	}
	return err.Error()
}
