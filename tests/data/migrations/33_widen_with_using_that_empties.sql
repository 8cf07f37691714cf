-- verdict: impossible
-- shown: differs
-- because: The type is wider, but USING writes something else.
-- tricky: yes
-- up
ALTER TABLE customers ALTER COLUMN email TYPE text USING left(email, 1) || id;
