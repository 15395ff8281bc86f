-- Version 3: addresses of stablecoin sales, and what lies there. Amounts are whole
-- numbers in a token's smallest unit, as text: they pass 64 bits.
CREATE TABLE sweep_deposits (
  address   TEXT PRIMARY KEY,  -- the same on every network
  reference TEXT NOT NULL,     -- of the till's record: all that a sweep needs
  treasury  TEXT NOT NULL,
  till      TEXT NOT NULL REFERENCES tills (id),
  payment   TEXT NOT NULL,
  made      INTEGER NOT NULL,  -- when it was asked for
  next      INTEGER NOT NULL   -- when to look there next
) STRICT;
CREATE INDEX sweep_deposits_next ON sweep_deposits (next);

CREATE TABLE sweep_holdings (
  network  TEXT NOT NULL,
  address  TEXT NOT NULL REFERENCES sweep_deposits (address),
  token    TEXT NOT NULL,      -- contract
  symbol   TEXT NOT NULL,
  decimals INTEGER NOT NULL,
  newest   TEXT NOT NULL,      -- at the newest block; 0: moved, but not for certain
  final    TEXT NOT NULL,      -- at the newest block that cannot be undone
  seen     INTEGER NOT NULL,
  PRIMARY KEY (network, address, token)
) STRICT;

CREATE TABLE sweep_batches (
  id       INTEGER PRIMARY KEY,
  network  TEXT NOT NULL,
  treasury TEXT NOT NULL,
  made     INTEGER NOT NULL,
  ended    INTEGER NOT NULL    -- when all of it was moved for certain, or it was given up; 0 before
) STRICT;

CREATE TABLE sweep_items (
  batch    INTEGER NOT NULL REFERENCES sweep_batches (id),
  address  TEXT NOT NULL,
  token    TEXT NOT NULL,
  symbol   TEXT NOT NULL,
  decimals INTEGER NOT NULL,
  units    TEXT NOT NULL,      -- when the batch was made
  state    TEXT NOT NULL,      -- waiting, moved, done, dropped
  PRIMARY KEY (batch, address, token)
) STRICT;

CREATE TABLE sweep_read (      -- how far each till's records were looked at
  till TEXT PRIMARY KEY REFERENCES tills (id),
  n    INTEGER NOT NULL
) STRICT;
