-- verdict: safe
-- shown: works
-- because: The old version leaves the column NULL.
-- up
ALTER TABLE orders ADD COLUMN coupon text;
