-- verdict: safe
-- shown: works
-- because: An index changes no answer; it may not run in a transaction.
-- up
CREATE INDEX CONCURRENTLY orders_status ON orders (status);
