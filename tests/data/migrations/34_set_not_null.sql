-- verdict: until
-- shown: breaks
-- because: The old version still writes NULL.
-- setup
UPDATE customers SET phone = '0' WHERE phone IS NULL;
-- up
ALTER TABLE customers ALTER COLUMN phone SET NOT NULL;
