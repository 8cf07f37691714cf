-- verdict: until
-- shown: breaks
-- because: The expression is computed on old writes and divides by 0.
-- tricky: yes
-- up
CREATE INDEX orders_unit ON orders ((total / quantity));
