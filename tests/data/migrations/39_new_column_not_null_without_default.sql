-- verdict: until
-- shown: breaks
-- because: Expand and contract in one: nothing fills the column on old inserts.
-- tricky: yes
-- up
ALTER TABLE orders ADD COLUMN region text;
UPDATE orders SET region = 'eu';
ALTER TABLE orders ALTER COLUMN region SET NOT NULL;
