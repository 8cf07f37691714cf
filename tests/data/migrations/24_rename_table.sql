-- verdict: until
-- shown: breaks
-- because: Old queries name it as before; renaming it back mends them.
-- up
ALTER TABLE parcels RENAME TO shipments;
