-- verdict: impossible
-- shown: differs
-- because: ON CONFLICT DO UPDATE overwrites.
-- tricky: yes
-- up
INSERT INTO customers (email, name) VALUES ('ada@example.org', 'X') ON CONFLICT (email) DO UPDATE SET name = excluded.name;
