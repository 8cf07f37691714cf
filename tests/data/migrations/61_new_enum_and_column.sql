-- verdict: safe
-- shown: works
-- because: The old version leaves it NULL.
-- up
CREATE TYPE urgency AS ENUM ('low', 'high');
ALTER TABLE parcels ADD COLUMN urgency urgency;
