-- verdict: safe
-- shown: works
-- because: New writes were checked already; this reads the old rows.
-- setup
ALTER TABLE orders ADD CONSTRAINT cap CHECK (quantity < 1000) NOT VALID;
-- up
ALTER TABLE orders VALIDATE CONSTRAINT cap;
