-- verdict: safe
-- shown: works
-- because: Every row gets its own value; the table is rewritten under an exclusive lock, but nothing is lost.
-- up
ALTER TABLE orders ADD COLUMN public_id uuid NOT NULL DEFAULT gen_random_uuid();
