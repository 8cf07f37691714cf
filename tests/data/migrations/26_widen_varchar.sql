-- verdict: safe
-- shown: works
-- because: A longer limit takes all that the old version writes.
-- up
ALTER TABLE customers ALTER COLUMN email TYPE varchar(200);
