-- Times are microseconds since 1970, UTC. Hashes and keys are raw bytes.

CREATE TABLE tills (
  id        TEXT PRIMARY KEY,
  key       BLOB NOT NULL,
  name      TEXT NOT NULL,
  series    TEXT NOT NULL,
  currency  TEXT NOT NULL,
  enrolled  INTEGER NOT NULL,
  seen      INTEGER NOT NULL,
  counter   INTEGER NOT NULL,  -- of its last signed request
  last_n    INTEGER NOT NULL,  -- every record up to here is in records
  last_hash BLOB NOT NULL,
  last_at   INTEGER NOT NULL,
  sales     INTEGER NOT NULL,  -- as its last sale says
  turnover  INTEGER NOT NULL   -- minor units, as its last sale says
) STRICT;

CREATE TABLE records (
  till     TEXT NOT NULL REFERENCES tills (id),
  n        INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  received INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  line     BLOB NOT NULL,      -- exactly as the till signed it
  PRIMARY KEY (till, n)
) STRICT;
CREATE INDEX records_at ON records (at);

-- What a till signed under a number that was taken, or after one.
CREATE TABLE forks (
  till     TEXT NOT NULL REFERENCES tills (id),
  n        INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  received INTEGER NOT NULL,
  line     BLOB NOT NULL,
  PRIMARY KEY (till, n, hash)
) STRICT;

CREATE TABLE alarms (
  id    INTEGER PRIMARY KEY,
  till  TEXT NOT NULL REFERENCES tills (id),
  kind  TEXT NOT NULL,
  n     INTEGER NOT NULL,      -- record it is about; 0 for none
  why   TEXT NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  times INTEGER NOT NULL,
  done  INTEGER NOT NULL,      -- when the owner dealt with it; 0 until then
  UNIQUE (till, kind, n)
) STRICT;

CREATE TABLE codes (
  hash    BLOB PRIMARY KEY,
  name    TEXT NOT NULL,       -- what the owner calls the till
  ask     BLOB UNIQUE,         -- of the request that made it; null when there was none
  made    INTEGER NOT NULL,
  ends    INTEGER NOT NULL,
  used_by BLOB                 -- key of the till that used it; null until then
) STRICT;

CREATE TABLE attempts (        -- wrong ones
  kind TEXT NOT NULL,
  who  TEXT NOT NULL,
  at   INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_kind ON attempts (kind, at);

CREATE TABLE owner (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  password TEXT NOT NULL,
  changed  INTEGER NOT NULL
) STRICT;

CREATE TABLE tickets (         -- sessions, set-up links, keys of the API: hashes of random tokens
  hash BLOB PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  made INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  ends INTEGER NOT NULL
) STRICT;
