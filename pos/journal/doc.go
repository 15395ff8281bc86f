// Package journal is the till's truth: an append-only, chained and signed list
// of records in a few files that a person can read.
//
// # Promise
//
// A record that Append returned survives a loss of power at any instant: Append
// returns only after fsync of the file, and of the directory when the file is
// new. The records of one Append are there together or not at all; those of an
// Append that did not return may be there or not. Records are numbered from 1
// without gaps, chained and signed, and never change. A number once promised is
// never given out again. One process writes; a second one is refused.
//
// # Format
//
// One JSON object a line, as pos.Seal writes it, in files named after their first
// record, journal-00000001.jsonl: sorted by name they are one text. The last two
// fields of a line are the SHA-256 of all bytes before them and the Ed25519
// signature of that hash, so nobody has to agree on how JSON is spelled. Records
// of one Append that holds several say "part" and "of". A file is closed when the
// next Append would take it past Options.SegmentBytes, and is never written again.
//
// # Opening
//
// Open checks number, link and hash of every line, by position and without
// decoding JSON, closed segments side by side on all cores. It leaves out
// signatures, which take a hundred times longer: it looks at the first and the
// last record's only, to refuse a journal of another till. Verify checks all.
// Open writes the last batch again before it syncs: after a failed fsync the
// kernel may hold a page as clean that never reached flash, and what Open has
// shown must stay. 150,000 records, 200 MB, cost 0.3 s of processor time with SHA
// instructions (EPYC, Nov 2026). It keeps one mark of 16 bytes for each 64 KiB of journal:
// 50 KB of memory for 200 MB, about 50,000 sales.
//
// # Damage
//
// An unfinished tail is cut off, for nobody was promised it: bytes after the last
// newline, a batch that lacks its last part, and a last batch with sectors of zero
// bytes in it, which a device leaves that writes out of order. The
// bytes cut are kept beside, in journal-00000001.torn-<offset>-<count>, and
// counted by Torn. On a full disk, where they cannot be kept yet, they stay where
// they are until Append finds room.
//
// Everything else that fails its check stays where it is: a flipped bit, a line
// from another history of the same key, a missing or spliced file. It is fenced:
// Damage names it, reading stops there with Corrupt, and never passes over it in
// silence. The till goes on behind it, from the next record that carries its
// signature; a rotten last line keeps its number, and the next record chains on
// the hash that its signature still proves.
//
// # What goes wrong while it runs
//
//   - Full disk: Options.Relieve is asked for room once; without it the whole Append
//     is undone and fails with Unavailable. The next one works when there is room
//     again.
//   - A failed fsync, or any other failed write: no Append works until the journal
//     is opened anew, for the kernel may have dropped the bytes, and a second fsync
//     would succeed without them. Reading goes on, up to the last promised record.
//   - A batch too large for its bounds is refused whole, with Invalid.
//
// # What it does not survive
//
// A medium that lies: one that says "synced" and is not, or that loses sectors
// which it acknowledged. If it loses the very last batch, or if someone deletes
// the last file, nothing in the journal itself can tell; the ledger's mark and the
// checkpoint that the backoffice signed do. A file system that fills the end of a
// file with another file's old blocks after a crash (ext4 with data=writeback) can
// make an unfinished write look like damage: it is then fenced, not cut. A flipped
// bit in a signature is found by Verify, not by Open. The key's holder can write
// another history; only checkpoints tell the two apart.
package journal
