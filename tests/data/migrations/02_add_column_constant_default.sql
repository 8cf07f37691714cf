-- verdict: safe
-- shown: works
-- because: Old inserts get the default.
-- up
ALTER TABLE orders ADD COLUMN currency text NOT NULL DEFAULT 'EUR';
