-- verdict: impossible
-- shown: differs
-- because: Rows are gone.
-- up
DELETE FROM events WHERE at < '2026-01-01';
