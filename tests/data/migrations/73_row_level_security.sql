-- verdict: until
-- shown: argued
-- because: A role that is not the owner sees no rows any more.
-- up
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
