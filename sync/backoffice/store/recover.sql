-- Version 4: what tills' stablecoin addresses are made of, and searches for the money of
-- lost tills. An address may now be of a till that is not known here, and of no sale.
CREATE TABLE sweep_places (
  address   TEXT PRIMARY KEY,  -- the same on every network
  reference TEXT NOT NULL,     -- all that a sweep needs
  treasury  TEXT NOT NULL,
  till      TEXT REFERENCES tills (id), -- null: its secret came from paper
  payment   TEXT NOT NULL,     -- empty: no record names it, a search found it
  made      INTEGER NOT NULL,  -- when it was asked for, or found
  next      INTEGER NOT NULL   -- when to look there next
) STRICT;
INSERT INTO sweep_places SELECT address, reference, treasury, till, payment, made, next FROM sweep_deposits;

CREATE TABLE sweep_held (
  network  TEXT NOT NULL,
  address  TEXT NOT NULL REFERENCES sweep_places (address),
  token    TEXT NOT NULL,      -- contract
  symbol   TEXT NOT NULL,
  decimals INTEGER NOT NULL,
  newest   TEXT NOT NULL,      -- at the newest block; 0: moved, but not for certain
  final    TEXT NOT NULL,      -- at the newest block that cannot be undone
  seen     INTEGER NOT NULL,
  PRIMARY KEY (network, address, token)
) STRICT;
INSERT INTO sweep_held SELECT network, address, token, symbol, decimals, newest, final, seen FROM sweep_holdings;
DROP TABLE sweep_holdings;
DROP TABLE sweep_deposits;
ALTER TABLE sweep_places RENAME TO sweep_deposits;
ALTER TABLE sweep_held RENAME TO sweep_holdings;
CREATE INDEX sweep_deposits_next ON sweep_deposits (next);

-- One row for each secret and treasury that a till ever had: a new card makes a new
-- secret, and money may lie at addresses of the old one. Nothing is deleted here.
CREATE TABLE address_seeds (
  id       INTEGER PRIMARY KEY,
  till     TEXT REFERENCES tills (id), -- null: it came from paper, and no till here sent it
  scheme   INTEGER NOT NULL,
  treasury TEXT NOT NULL,
  mark     BLOB NOT NULL,      -- knows the secret again, and tells nothing of it
  sealed   BLOB NOT NULL,      -- the secret, encrypted by a key that is not in the database
  kept     INTEGER NOT NULL,
  state    TEXT NOT NULL,      -- of its search: '' (never), asked, stopped, ended
  far      INTEGER NOT NULL,   -- up to here it is searched, whatever lies there
  last     INTEGER NOT NULL,   -- highest number that was ever given out, as far as is known
  changed  INTEGER NOT NULL,   -- when the state changed
  UNIQUE (mark, scheme, treasury)
) STRICT;

CREATE TABLE seed_networks (   -- how far a search is on each network
  seed      INTEGER NOT NULL REFERENCES address_seeds (id),
  network   TEXT NOT NULL,
  next      INTEGER NOT NULL,  -- the first number that is not known
  why       TEXT NOT NULL,     -- it is not known; empty while nothing is wrong
  operators INTEGER NOT NULL,  -- whose word it is: the fewest that any part of it rests on
  PRIMARY KEY (seed, network)
) STRICT;

CREATE TABLE seed_found (      -- addresses with money that no record named
  address TEXT PRIMARY KEY REFERENCES sweep_deposits (address),
  seed    INTEGER NOT NULL REFERENCES address_seeds (id),
  n       INTEGER NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
