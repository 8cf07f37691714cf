-- verdict: impossible
-- shown: differs
-- because: A SELECT may call a function that deletes.
-- tricky: yes
-- up
SELECT purge();
