-- Version 7: what transfers left where it is, and why; and how far the networks' events were
-- read for a transfer. A row is about money that is there: it goes when the money does.
CREATE TABLE sweep_refused (
  network TEXT NOT NULL,
  address TEXT NOT NULL REFERENCES sweep_deposits (address),
  token   TEXT NOT NULL,
  why     TEXT NOT NULL,       -- it cannot be moved now; empty: it can
  tx      TEXT NOT NULL,       -- the last transaction that left it there; empty: none is known
  PRIMARY KEY (network, address, token)
) STRICT;
ALTER TABLE sweep_batches ADD COLUMN upto INTEGER NOT NULL DEFAULT 0; -- newest block whose events are read; 0: none
