package soak

import (
	"math/rand/v2"
	"os"
	"path/filepath"
)

// index is what a crash leaves in the place of the ledger.
type index struct {
	kind  string
	text  []byte            // nil: there is none
	holds int               // index of the commit that is whole in it; -1 for none
	junk  string            // suffix of a file that a crash left beside it
	all   map[string][]byte // not nil: the whole folder, by path
}

// pageSize is that of bbolt's files.
var pageSize = os.Getpagesize()

// metaHead is what counts of a head: 16 bytes of the page's own, 64 of the head.
const metaHead = 16 + 64

// indexAt chooses what the ledger's file may be when the journal is as behind so many
// calls: nothing orders the two, but that a commit follows the records it holds.
func (d *day) indexAt(calls int, rnd *rand.Rand) index {
	now := -1
	for i, f := range d.files {
		if f.calls <= calls {
			now = i
		}
	}
	if now < 0 {
		return index{kind: "none yet", holds: -1}
	}
	switch rnd.IntN(16) {
	case 0, 1, 2, 3, 4:
		return index{kind: "as it was", text: d.files[now].text, holds: now}
	case 5, 6, 7, 8:
		return d.torn(now, rnd)
	case 9:
		i := rnd.IntN(now + 1)
		return index{kind: "an older copy", text: d.files[i].text, holds: i}
	case 10:
		return index{kind: "deleted", holds: -1}
	case 11:
		text := d.files[now].text
		return index{kind: "cut short", text: append([]byte{}, text[:rnd.IntN(len(text))]...), holds: -1}
	case 12:
		return index{kind: "a page spoilt", text: spoilt(d.files[now].text, rnd), holds: -1}
	case 13:
		return index{kind: "deleted in a rebuild", holds: -1, junk: ".rebuild"}
	case 14:
		return index{kind: "deleted while it was made", holds: -1, junk: ".new"}
	}
	return index{kind: "named as lagging", text: d.files[now].text, holds: now, junk: ".behind"}
}

// torn is a commit that power cut short, the newest one or one before it.
func (d *day) torn(now int, rnd *rand.Rand) index {
	to := max(now-rnd.IntN(3), 0)
	if to == 0 || d.files[to].tx != d.files[to-1].tx+1 {
		return index{kind: "as it was", text: d.files[now].text, holds: now}
	}
	return tear(d.files[to-1].text, d.files[to].text, to, rnd)
}

// tear makes one of the states between two commits. Before bbolt syncs its pages, any
// of them may be there, whole or a part of their sectors, with the old head; behind
// that the head may be there or not, or half. The file may have its new length or
// still the old one.
func tear(old, next []byte, to int, rnd *rand.Rand) index {
	synced := rnd.IntN(3) == 0
	out := append([]byte{}, old...)
	if len(next) > len(out) && (synced || rnd.IntN(2) == 0) {
		out = append(out, make([]byte, len(next)-len(out))...)
	}
	for at := 2 * pageSize; at+pageSize <= len(next); at += pageSize {
		if at < len(old) && string(old[at:at+pageSize]) == string(next[at:at+pageSize]) {
			continue
		}
		for s := at; s < at+pageSize; s += 512 {
			if synced || rnd.IntN(3) > 0 {
				for len(out) < s+512 {
					out = append(out, 0)
				}
				copy(out[s:s+512], next[s:s+512])
			}
		}
	}
	if !synced {
		return index{kind: "a commit torn before its sync", text: out, holds: to - 1}
	}
	for at := 0; at < 2*pageSize; at += pageSize {
		if string(old[at:at+metaHead]) != string(next[at:at+metaHead]) {
			copy(out[at:], next[at:at+rnd.IntN(metaHead)])
		}
	}
	return index{kind: "a commit torn in its head", text: out, holds: to - 1}
}

// spoilt has a page, or a single bit, of it changed.
func spoilt(text []byte, rnd *rand.Rand) []byte {
	out := append([]byte{}, text...)
	if rnd.IntN(2) == 0 {
		out[rnd.IntN(len(out))] ^= 1 << rnd.IntN(8)
		return out
	}
	page := rnd.IntN(len(out)/pageSize) * pageSize
	for i := page; i < page+pageSize; i++ {
		out[i] ^= 0xA5
	}
	return out
}

// put makes the folder what the crash left.
func (x index) put(dir string) error {
	if err := clean(dir); err != nil {
		return err
	}
	for f, text := range x.all {
		if err := os.WriteFile(f, text, 0o600); err != nil {
			return err
		}
	}
	path := ledgerIn(dir)
	switch {
	case x.junk == ".behind":
		return os.WriteFile(path+x.junk, x.text, 0o600)
	case x.junk != "":
		if err := os.WriteFile(path+x.junk, []byte("half a file"), 0o600); err != nil {
			return err
		}
	}
	if x.text == nil {
		return nil
	}
	return os.WriteFile(path, x.text, 0o600)
}

// clean empties a folder.
func clean(dir string) error {
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	for _, f := range all {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return nil
}
