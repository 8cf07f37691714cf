-- verdict: safe
-- shown: works
-- because: The old version does not know it.
-- up
CREATE TABLE coupons (code text PRIMARY KEY, percent int NOT NULL CHECK (percent < 100));
CREATE UNIQUE INDEX coupons_percent ON coupons (percent);
COMMENT ON TABLE coupons IS $$Codes$$;
