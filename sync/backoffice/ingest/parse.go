package ingest

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

// parse reads the records of a body up to the first that is none, and says why
// that one is none. The records keep body.
func parse(body []byte) ([]pos.Record, error) {
	var batch []pos.Record
	for len(body) > 0 {
		if len(batch) == wire.MaxBatch {
			return batch, corrupt("more than %d records at once", wire.MaxBatch)
		}
		end := bytes.IndexByte(body, '\n') + 1
		if end == 0 {
			end = len(body)
		}
		r, err := pos.ParseRecord(body[:end:end])
		if err != nil {
			return batch, corrupt("line %d is no record: %s", len(batch)+1, message(err))
		}
		if r.N == 0 {
			return batch, corrupt("line %d: records are numbered from 1", len(batch)+1)
		}
		batch, body = append(batch, r), body[end:]
	}
	return batch, nil
}

// corrupt refuses a record.
func corrupt(format string, args ...any) *wire.Problem {
	return &wire.Problem{
		Type: wire.ProblemOf(pos.Corrupt), Title: "A record fails its check", Status: http.StatusUnprocessableEntity,
		Detail: pos.E("", pos.Corrupt, format, args...).Msg,
	}
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
