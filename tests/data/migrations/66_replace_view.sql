-- verdict: until
-- shown: argued
-- because: The old version reads other rows.
-- up
CREATE OR REPLACE VIEW open_orders AS SELECT id, placed_at FROM orders WHERE status <> 'done';
