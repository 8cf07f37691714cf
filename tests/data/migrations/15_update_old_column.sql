-- verdict: impossible
-- shown: differs
-- because: The values of before are overwritten.
-- up
UPDATE orders SET status = upper(status);
