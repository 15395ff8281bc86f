-- Version 6: which run of a search a part belongs to. One that was slow does not move a
-- search that began anew meanwhile.
ALTER TABLE address_seeds ADD COLUMN run INTEGER NOT NULL DEFAULT 0; -- raised with each new beginning
