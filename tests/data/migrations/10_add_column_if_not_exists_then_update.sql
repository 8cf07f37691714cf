-- verdict: impossible
-- shown: differs
-- because: IF NOT EXISTS may find the old column, whose values the update overwrites.
-- tricky: yes
-- up
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;
UPDATE orders SET note = 'migrated';
