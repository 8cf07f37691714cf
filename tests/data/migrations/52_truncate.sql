-- verdict: impossible
-- shown: differs
-- because: Rows are gone.
-- up
TRUNCATE parcels;
