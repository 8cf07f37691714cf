-- verdict: impossible
-- shown: differs
-- because: CASCADE takes the columns of that type along.
-- tricky: yes
-- up
DROP TYPE shipping CASCADE;
