-- verdict: until
-- shown: argued
-- because: Once it is written the old version reads a value that it does not know; it cannot be removed.
-- up
ALTER TYPE shipping ADD VALUE 'drone';
