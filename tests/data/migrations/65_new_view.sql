-- verdict: safe
-- shown: works
-- because: The old version does not know it.
-- up
CREATE VIEW paid_orders AS SELECT id, total FROM orders WHERE status = $$paid$$;
