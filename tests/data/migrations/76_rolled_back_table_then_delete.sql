-- verdict: impossible
-- shown: differs
-- because: The new table was rolled back, so the name means the old one.
-- tricky: yes
-- up
BEGIN;
CREATE TEMPORARY TABLE parcels (id int);
ROLLBACK;
DELETE FROM parcels;
