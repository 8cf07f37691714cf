-- verdict: impossible
-- shown: differs
-- because: The name made above means another table once the path is changed.
-- tricky: yes
-- up
CREATE SCHEMA mine;
SET search_path = mine;
CREATE TABLE parcels (id int);
SET search_path = public;
DELETE FROM parcels;
