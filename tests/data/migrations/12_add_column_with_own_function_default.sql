-- verdict: until
-- shown: argued
-- because: Old inserts call a function that nobody knows to be harmless.
-- tricky: yes
-- setup
CREATE FUNCTION make_code() RETURNS text LANGUAGE sql AS 'SELECT ''x''';
-- up
ALTER TABLE orders ADD COLUMN code text DEFAULT make_code();
