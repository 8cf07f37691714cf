-- verdict: impossible
-- shown: differs
-- because: One statement may do both; the drop counts.
-- tricky: yes
-- up
ALTER TABLE orders ADD COLUMN remark text, DROP COLUMN note;
