-- verdict: impossible
-- shown: differs
-- because: IF NOT EXISTS found the table of the old version.
-- tricky: yes
-- up
CREATE TABLE IF NOT EXISTS parcels (id int);
TRUNCATE parcels;
