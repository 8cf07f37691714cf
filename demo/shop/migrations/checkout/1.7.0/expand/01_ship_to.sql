-- Unsafe on purpose: the version that still runs writes the old column, and what it held is gone.
ALTER TABLE orders ADD COLUMN ship_to text;
UPDATE orders SET ship_to = country;
ALTER TABLE orders DROP COLUMN country;
