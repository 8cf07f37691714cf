-- verdict: until
-- shown: breaks
-- because: Old queries look for it where it was.
-- up
CREATE SCHEMA archive;
ALTER TABLE parcels SET SCHEMA archive;
