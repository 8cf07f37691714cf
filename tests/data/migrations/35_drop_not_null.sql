-- verdict: until
-- shown: argued
-- because: Once a NULL is written, code that never saw one fails.
-- up
ALTER TABLE orders ALTER COLUMN status DROP NOT NULL;
