-- verdict: impossible
-- shown: differs
-- because: The update looks harmless; the function in its condition deletes.
-- tricky: yes
-- up
ALTER TABLE orders ADD COLUMN seen boolean;
UPDATE orders SET seen = (purge() IS NULL);
