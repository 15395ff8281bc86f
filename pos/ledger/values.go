package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// bbolt has no checksums of its own: a flipped bit in a value would be another
// amount. So every value begins with a CRC-32C (RFC 3720, 12.1) of its key and
// itself, which is checked for all of them at each start (sound.go) and at each read.
const sumLen = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sum(key, text []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, text)
}

func put(b *bolt.Bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("keep %x: %w", key, err)
	}
	value := make([]byte, sumLen, sumLen+len(text))
	binary.BigEndian.PutUint32(value, sum(key, text))
	return b.Put(key, append(value, text...))
}

// get reads key into v, and leaves v alone when there is none.
func get(b *bolt.Bucket, key []byte, v any) error {
	value := b.Get(key)
	if value == nil {
		return nil
	}
	return decode(key, value, v)
}

// decode reads a value into v. It keeps nothing of either.
func decode(key, value []byte, v any) error {
	if !whole(key, value) {
		return errValue(nil)
	}
	if err := json.Unmarshal(bytes.Clone(value[sumLen:]), v); err != nil {
		return errValue(err)
	}
	return nil
}

func whole(key, value []byte) bool {
	return len(value) > sumLen && binary.BigEndian.Uint32(value) == sum(key, value[sumLen:])
}

func errValue(cause error) error {
	return pos.Wrap("read ledger", pos.Corrupt, cause, "the till's index holds an unreadable entry")
}

// values reads a whole bucket. It is used for those that stay small.
func values[T any](b *bolt.Bucket) ([]T, error) {
	var out []T
	err := b.ForEach(func(key, value []byte) error {
		var v T
		if err := decode(key, value, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	return out, err
}
