-- verdict: until
-- shown: breaks
-- because: The check asks for what the old version never writes.
-- tricky: yes
-- setup
DELETE FROM parcels;
-- up
ALTER TABLE parcels ADD COLUMN label text CHECK (label IS NOT NULL);
