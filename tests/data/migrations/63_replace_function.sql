-- verdict: until
-- shown: argued
-- because: The old version gets other answers.
-- up
CREATE OR REPLACE FUNCTION tax(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT amount * 0.25';
