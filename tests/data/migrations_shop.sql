-- The schema that the old version was written for.
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar(50) NOT NULL, name text, phone text
);
CREATE UNIQUE INDEX customers_email ON customers (email);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers (id),
  status text NOT NULL DEFAULT 'new',
  total numeric(10, 2) NOT NULL CONSTRAINT total_positive CHECK (total >= 0),
  quantity int NOT NULL DEFAULT 1,
  note text,
  placed_at timestamptz NOT NULL DEFAULT '2026-01-01T00:00:00Z'
);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE TYPE shipping AS ENUM ('post', 'courier');
CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, way shipping NOT NULL);
CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW open_orders AS SELECT id, placed_at FROM orders WHERE status = 'new';
CREATE SEQUENCE invoice_numbers;
CREATE FUNCTION tax(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT amount * 0.2';
CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'DELETE FROM parcels';
INSERT INTO customers (email, name, phone) VALUES
  ('ada@example.org', 'Ada', '1'), ('bob@example.org', NULL, '007'), ('leaver-1@example.org', 'leaver', '3'), ('leaver-2@example.org', 'leaver', '4');
INSERT INTO orders (customer_id, total, note) VALUES (1, 10.25, 'gift'), (1, 20.50, NULL), (2, 0, 'late');
INSERT INTO parcels (way) VALUES ('post'), ('courier');
INSERT INTO events VALUES ('2025-05-01', 'opened'), ('2026-05-01', 'moved');
