-- verdict: until
-- shown: argued
-- because: Larger values are refused from now on; those that are there fit or the change fails.
-- up
ALTER TABLE orders ALTER COLUMN customer_id TYPE int;
