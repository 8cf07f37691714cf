-- verdict: until
-- shown: argued
-- because: It adds functions and types that calls of the old version may resolve to.
-- up
CREATE EXTENSION IF NOT EXISTS plpgsql;
