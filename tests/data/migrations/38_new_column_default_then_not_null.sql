-- verdict: safe
-- shown: works
-- because: The default was there before the constraint, so old inserts meet it.
-- up
ALTER TABLE orders ADD COLUMN region text DEFAULT 'eu';
ALTER TABLE orders ALTER COLUMN region SET NOT NULL;
