-- verdict: until
-- shown: breaks
-- because: ON CONFLICT of the old version needs it.
-- tricky: yes
-- up
DROP INDEX customers_email;
