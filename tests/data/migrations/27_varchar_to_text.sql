-- verdict: safe
-- shown: works
-- because: text takes all that varchar does.
-- up
ALTER TABLE customers ALTER COLUMN email TYPE text;
