-- verdict: until
-- shown: breaks
-- because: The expression is computed on old writes too and divides by a quantity of 0.
-- tricky: yes
-- up
ALTER TABLE orders ADD COLUMN unit_price numeric GENERATED ALWAYS AS (total / quantity) STORED;
