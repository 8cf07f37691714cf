-- verdict: impossible
-- shown: differs
-- because: The digits after the point are rounded away.
-- up
ALTER TABLE orders ALTER COLUMN total TYPE numeric(10, 0);
