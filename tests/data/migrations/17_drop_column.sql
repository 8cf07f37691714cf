-- verdict: impossible
-- shown: differs
-- because: What was in it is gone.
-- up
ALTER TABLE orders DROP COLUMN note;
