-- What the old version does all day; each statement must work before a migration, and after a safe one.
INSERT INTO customers (email, name) VALUES ('ada@example.org', 'Ada L.') ON CONFLICT (email) DO UPDATE SET name = 'Ada L.';
INSERT INTO customers (email) VALUES ('guest-' || md5(random()::text) || '@x.org');
DELETE FROM customers WHERE id = (SELECT max(id) FROM customers WHERE name = 'leaver');
INSERT INTO orders (customer_id, total) VALUES (1, 12.34), (2, 0);
INSERT INTO orders (customer_id, status, total, quantity, note) VALUES (1, 'returned', 3, 0, NULL);
UPDATE orders SET status = 'paid', note = NULL WHERE id = 1;
SELECT o.id, o.customer_id, o.status, o.total, o.quantity, o.note, o.placed_at FROM orders o;
SELECT c.id, c.email, c.name, c.phone FROM customers c;
INSERT INTO parcels (way) VALUES ('post'), ('courier');
SELECT way FROM parcels;
INSERT INTO events (at, what) VALUES ('2025-06-01', 'x'), ('2026-06-01', 'y');
SELECT id, placed_at FROM open_orders;
SELECT tax(total) FROM orders;
SELECT nextval('invoice_numbers');
