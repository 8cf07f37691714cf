-- verdict: safe
-- shown: works
-- because: Reads the old table and fills the new one.
-- up
CREATE TABLE totals (customer_id bigint, total numeric);
INSERT INTO totals SELECT customer_id, sum(total) FROM orders GROUP BY customer_id;
