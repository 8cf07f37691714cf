-- verdict: until
-- shown: breaks
-- because: A table without an identity may not be updated or deleted from once it is published.
-- tricky: yes
-- setup
ALTER TABLE orders REPLICA IDENTITY NOTHING;
-- up
CREATE PUBLICATION feed FOR TABLE orders;
