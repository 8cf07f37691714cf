-- verdict: until
-- shown: differs
-- because: The old version sees rows that it did not write; they can be deleted again.
-- up
INSERT INTO customers (email) VALUES ('system@example.org');
