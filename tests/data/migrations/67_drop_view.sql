-- verdict: until
-- shown: breaks
-- because: The old version reads it; it can be made again.
-- up
DROP VIEW open_orders;
