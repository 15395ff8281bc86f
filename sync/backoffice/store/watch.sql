-- Version 5: whether a till still watches an address, by the payments that named it. Every
-- record is read once more: those that were read before said it, too.
CREATE TABLE sweep_watched (
  address TEXT NOT NULL REFERENCES sweep_deposits (address),
  till    TEXT NOT NULL REFERENCES tills (id),
  payment TEXT NOT NULL,
  began   INTEGER NOT NULL,    -- when its first record came
  final   INTEGER NOT NULL,    -- 1: its last record says that nothing can change any more
  PRIMARY KEY (address, till, payment)
) STRICT;
DELETE FROM sweep_read;
