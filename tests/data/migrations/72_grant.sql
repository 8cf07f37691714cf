-- verdict: safe
-- shown: works
-- because: More is allowed than before.
-- up
GRANT SELECT ON orders TO PUBLIC;
