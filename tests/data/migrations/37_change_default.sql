-- verdict: until
-- shown: argued
-- because: Old inserts get another value than they were written for.
-- up
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';
