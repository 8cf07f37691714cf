-- verdict: until
-- shown: breaks
-- because: The old version writes the old name.
-- up
ALTER TYPE shipping RENAME VALUE 'post' TO 'mail';
