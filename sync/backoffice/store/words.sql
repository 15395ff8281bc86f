-- Version 8: whose word it is that a transaction left a balance where it is, and how far each
-- operator's events were read; the transaction that the owner says he sent; and when a balance
-- was last asked about, so that each has its turn.
CREATE TABLE sweep_words (
  n        INTEGER PRIMARY KEY, -- their order
  batch    INTEGER NOT NULL REFERENCES sweep_batches (id),
  address  TEXT NOT NULL,
  token    TEXT NOT NULL,
  tx       TEXT NOT NULL,
  operator TEXT NOT NULL,      -- empty: one whose name was not kept
  number   INTEGER NOT NULL,   -- of the transaction's block
  UNIQUE (batch, address, token, tx, operator)
) STRICT;
INSERT INTO sweep_words (batch, address, token, tx, operator, number) SELECT b.id, r.address, r.token, r.tx, '', b.upto FROM sweep_refused r
  JOIN sweep_items i ON i.address = r.address AND i.token = r.token AND i.state = 'waiting'
  JOIN sweep_batches b ON b.id = i.batch AND b.network = r.network AND b.ended = 0 WHERE r.tx <> '';

CREATE TABLE sweep_heard (     -- from sweep_batches.upto on, how far an operator's events are read
  batch    INTEGER NOT NULL REFERENCES sweep_batches (id),
  operator TEXT NOT NULL,
  upto     INTEGER NOT NULL,
  PRIMARY KEY (batch, operator)
) STRICT;

CREATE TABLE sweep_sent (
  batch INTEGER PRIMARY KEY REFERENCES sweep_batches (id),
  tx    TEXT NOT NULL,         -- the last one that the owner named
  state TEXT NOT NULL,         -- what became of it, as package sweep names it; empty: nobody was asked
  gas   INTEGER NOT NULL,      -- that it was given
  used  INTEGER NOT NULL,      -- that it took
  seen  INTEGER NOT NULL       -- when operators were asked; 0: not yet
) STRICT;

ALTER TABLE sweep_refused DROP COLUMN tx;
ALTER TABLE sweep_refused ADD COLUMN tried INTEGER NOT NULL DEFAULT 0; -- when the network was last asked about it
