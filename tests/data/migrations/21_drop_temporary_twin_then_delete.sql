-- verdict: impossible
-- shown: differs
-- because: After the temporary twin is dropped, its name means the real table.
-- tricky: yes
-- up
CREATE TEMPORARY TABLE parcels (id int);
DROP TABLE parcels;
DELETE FROM parcels;
