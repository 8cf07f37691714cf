-- verdict: until
-- shown: breaks
-- because: The domain refuses the NULL that old inserts leave.
-- tricky: yes
-- setup
CREATE DOMAIN code AS text NOT NULL;
DELETE FROM parcels;
-- up
ALTER TABLE parcels ADD COLUMN code code;
