-- verdict: until
-- shown: breaks
-- because: A second candidate makes the call of the old version ambiguous.
-- tricky: yes
-- up
CREATE FUNCTION tax(amount numeric, rate numeric DEFAULT 0.2) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT amount * rate';
