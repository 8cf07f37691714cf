-- verdict: until
-- shown: breaks
-- because: Old inserts do not give it; on a table with rows it does not even apply.
-- setup
DELETE FROM parcels;
-- up
ALTER TABLE parcels ADD COLUMN label text NOT NULL;
