-- verdict: safe
-- shown: works
-- because: Only the new column is written, and no trigger fires.
-- up
ALTER TABLE orders ADD COLUMN total_cents bigint;
UPDATE orders SET total_cents = (total * 100)::bigint WHERE total_cents IS NULL;
