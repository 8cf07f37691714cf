-- verdict: impossible
-- shown: differs
-- because: What was in it is gone.
-- up
DROP TABLE parcels;
