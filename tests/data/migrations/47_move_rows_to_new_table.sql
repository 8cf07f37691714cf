-- verdict: impossible
-- shown: differs
-- because: A DELETE hides in the WITH of an INSERT.
-- tricky: yes
-- up
CREATE TABLE archived (LIKE orders);
WITH gone AS (DELETE FROM orders WHERE id = 3 RETURNING *) INSERT INTO archived SELECT * FROM gone;
