-- verdict: until
-- shown: argued
-- because: What breaks it may be written from now on, and the old version never saw such rows.
-- up
ALTER TABLE orders DROP CONSTRAINT total_positive;
