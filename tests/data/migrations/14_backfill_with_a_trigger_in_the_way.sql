-- verdict: impossible
-- shown: differs
-- because: The update fires an old trigger, which writes a column of the old version.
-- tricky: yes
-- setup
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.placed_at := now(); RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- up
ALTER TABLE orders ADD COLUMN total_cents bigint;
UPDATE orders SET total_cents = 1;
