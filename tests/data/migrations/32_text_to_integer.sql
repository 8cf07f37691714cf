-- verdict: impossible
-- shown: differs
-- because: 007 becomes 7.
-- up
ALTER TABLE customers ALTER COLUMN phone TYPE int USING phone::int;
