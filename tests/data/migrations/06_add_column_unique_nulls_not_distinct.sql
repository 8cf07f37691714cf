-- verdict: until
-- shown: breaks
-- because: A second old insert is a second NULL, which this constraint refuses.
-- tricky: yes
-- setup
DELETE FROM orders;
-- up
ALTER TABLE orders ADD COLUMN ref text;
ALTER TABLE orders ADD CONSTRAINT one_ref UNIQUE NULLS NOT DISTINCT (ref);
