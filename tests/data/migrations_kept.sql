-- What must read the same right after a migration, for nothing to be lost.
SELECT id, customer_id, status, total, quantity, note, placed_at FROM orders ORDER BY id;
SELECT id, email, name, phone FROM customers ORDER BY id;
SELECT id, way::text FROM parcels ORDER BY id;
SELECT at, what FROM events ORDER BY at, what;
SELECT last_value, is_called FROM invoice_numbers;
