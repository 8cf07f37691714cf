-- verdict: until
-- shown: breaks
-- because: The old version writes duplicates.
-- setup
DELETE FROM orders WHERE id <> 1;
-- up
ALTER TABLE orders ADD CONSTRAINT one_status UNIQUE (status);
