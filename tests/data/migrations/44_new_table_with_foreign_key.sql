-- verdict: until
-- shown: breaks
-- because: The new table holds on to rows that the old version deletes.
-- tricky: yes
-- up
CREATE TABLE loyalty (customer_id bigint REFERENCES customers (id), points int);
INSERT INTO loyalty SELECT id, 0 FROM customers;
