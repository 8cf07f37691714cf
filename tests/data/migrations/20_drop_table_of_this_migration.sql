-- verdict: safe
-- shown: works
-- because: It was made two lines above; the old version never knew it.
-- up
CREATE TABLE scratch (id int);
INSERT INTO scratch VALUES (1);
DROP TABLE scratch;
