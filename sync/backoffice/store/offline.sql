-- Version 2: payments that tills ask for while they are offline (OFFPAY-1).
-- Counters are those of tokens; msat are millisatoshis.
CREATE TABLE offline_tills (
  till TEXT PRIMARY KEY REFERENCES tills (id),
  off  INTEGER NOT NULL,       -- when it was switched off; 0 while it may sell offline
  why  TEXT NOT NULL,          -- it was switched off
  read INTEGER NOT NULL        -- records up to this number were looked at
) STRICT;

CREATE TABLE offline_devices (
  device  BLOB PRIMARY KEY,    -- 5 bytes
  till    TEXT NOT NULL REFERENCES tills (id),
  made    INTEGER NOT NULL,
  revoked INTEGER NOT NULL,    -- 0 while it is good
  renew   INTEGER NOT NULL,    -- when the owner asked for a new key; 0 for never
  highest INTEGER NOT NULL     -- counter of a token that was opened here, or that the till named
) STRICT;
CREATE INDEX offline_devices_till ON offline_devices (till, made);

-- A key is made of the file secret and its salt: the database alone opens nothing.
CREATE TABLE offline_epochs (
  device  BLOB NOT NULL REFERENCES offline_devices (device),
  epoch   INTEGER NOT NULL,
  salt    BLOB NOT NULL,       -- 32 random bytes
  made    INTEGER NOT NULL,
  held    INTEGER NOT NULL,    -- when the till first showed that it holds the key; 0 before
  revoked INTEGER NOT NULL,    -- 0 while it is good
  PRIMARY KEY (device, epoch)
) STRICT;

CREATE TABLE offline_sales (   -- one a token
  device   BLOB NOT NULL,
  epoch    INTEGER NOT NULL,
  counter  INTEGER NOT NULL,
  till     TEXT NOT NULL REFERENCES tills (id),
  token    BLOB NOT NULL,      -- 39 bytes: with the key it gives everything that the till asked for
  minor    INTEGER NOT NULL,
  currency TEXT NOT NULL,
  issued   INTEGER NOT NULL,   -- by the till's clock; 0 when it is not trusted
  ttl      INTEGER NOT NULL,   -- minutes
  first    INTEGER NOT NULL,   -- when it was first seen here
  quoted   INTEGER NOT NULL,   -- beginning of the newest quote; 0 for none
  rate     TEXT NOT NULL,      -- of the newest quote, as JSON
  msat     INTEGER NOT NULL,   -- of the newest quote
  attempt  INTEGER NOT NULL,   -- number of its newest invoice; 0 for none
  state    TEXT NOT NULL,      -- open, paid, unpaid
  paid     INTEGER NOT NULL,   -- attempt that was paid; 0 for none
  received INTEGER NOT NULL,   -- msat
  ended    INTEGER NOT NULL,   -- when it left open
  accepted INTEGER NOT NULL,   -- when the till said that it took the code; 0 until then
  void     INTEGER NOT NULL,   -- when the till said that it gave the payment up
  owed     INTEGER NOT NULL,   -- when the till said that no sale needed the payment
  refuted  INTEGER NOT NULL,   -- accepted, and certainly not paid
  done     INTEGER NOT NULL,   -- when the owner dealt with it
  PRIMARY KEY (device, epoch, counter)
) STRICT;
CREATE INDEX offline_sales_till ON offline_sales (till, first);
CREATE INDEX offline_sales_open ON offline_sales (first) WHERE state = 'open';

CREATE TABLE offline_invoices (
  device  BLOB NOT NULL,
  epoch   INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  attempt INTEGER NOT NULL,    -- from 1
  hash    BLOB NOT NULL UNIQUE,
  msat    INTEGER NOT NULL,
  rate    TEXT NOT NULL,
  quoted  INTEGER NOT NULL,    -- beginning of the quote that it was made for
  made    INTEGER NOT NULL,    -- when the node was first asked for it
  ends    INTEGER NOT NULL,    -- its last moment
  text    TEXT NOT NULL,       -- BOLT11; empty until the node gave it
  state   TEXT NOT NULL,       -- live, paid, gone
  PRIMARY KEY (device, epoch, counter, attempt),
  FOREIGN KEY (device, epoch, counter) REFERENCES offline_sales (device, epoch, counter)
) STRICT;
CREATE UNIQUE INDEX offline_invoices_live ON offline_invoices (device, epoch, counter) WHERE state = 'live';
