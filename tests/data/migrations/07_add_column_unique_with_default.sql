-- verdict: until
-- shown: breaks
-- because: Every old insert gets the same default, and the second is refused.
-- tricky: yes
-- setup
DELETE FROM parcels;
-- up
ALTER TABLE parcels ADD COLUMN slot int UNIQUE DEFAULT 1;
