-- verdict: until
-- shown: argued
-- because: Once a value beyond 32 bits is written, code that reads an int fails; the table is rewritten.
-- up
ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;
