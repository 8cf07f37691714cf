-- verdict: safe
-- shown: works
-- because: An index changes no answer; writes wait while it is built.
-- up
CREATE INDEX orders_placed ON orders (placed_at);
