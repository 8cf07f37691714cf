-- verdict: until
-- shown: breaks
-- because: DEFAULT NULL is no default: NOT NULL refuses what the old version inserts.
-- tricky: yes
-- setup
DELETE FROM parcels;
-- up
ALTER TABLE parcels ADD COLUMN label text NOT NULL DEFAULT NULL;
