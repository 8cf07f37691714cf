-- verdict: until
-- shown: breaks
-- because: Old inserts into its range have nowhere to go; it can be attached again.
-- up
ALTER TABLE events DETACH PARTITION events_2025;
