-- verdict: until
-- shown: breaks
-- because: A trigger runs on old writes too.
-- up
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
CREATE TRIGGER refused BEFORE INSERT ON parcels FOR EACH ROW EXECUTE FUNCTION refuse();
