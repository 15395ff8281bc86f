package ledger

import (
	"bytes"
	"encoding/json"
	"os"

	"github.com/tillwright/tillwright/pos"
)

const (
	// salvageChunk is read at once, so that an index of 40 MB costs no such memory.
	salvageChunk = 1 << 20
	// maxBooks bounds the books as they lie in the file: MaxGaps gaps and what else
	// they hold. It is what one chunk shows of the next.
	maxBooks = 256 << 10
)

// salvage returns the newest books that lie anywhere in a file, be it damaged, cut
// short, or of another version: they are looked for by their name and proved by
// their checksum, not through bbolt. Pages that are not in use any more may show
// older ones, and pages of a commit that power cut short newer ones; all of them
// were in the journal when they were written.
func salvage(path string) (newest pos.Books, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return newest, false
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return newest, false
	}
	buf := make([]byte, min(st.Size(), salvageChunk+maxBooks))
	for off := int64(0); off < st.Size(); off += salvageChunk {
		n, _ := f.ReadAt(buf, off) // behind an unreadable place there may be good ones
		for b := buf[:n]; ; {
			at := bytes.Index(b, booksKey)
			if at < 0 {
				break
			}
			b = b[at+len(booksKey):]
			if found, good := booksAt(b); good && (!ok || found.Last > newest.Last) {
				newest, ok = found, true
			}
		}
	}
	return newest, ok
}

// booksAt reads the books from b, which begins behind their key: checksum, then JSON.
func booksAt(b []byte) (pos.Books, bool) {
	if len(b) <= sumLen || b[sumLen] != '{' {
		return pos.Books{}, false
	}
	var text json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(b[sumLen:])).Decode(&text); err != nil {
		return pos.Books{}, false
	}
	if !whole(booksKey, b[:sumLen+len(text)]) {
		return pos.Books{}, false
	}
	var books pos.Books
	err := json.Unmarshal(text, &books)
	return books, err == nil
}
