-- verdict: impossible
-- shown: differs
-- because: MERGE may delete.
-- up
MERGE INTO parcels p USING (SELECT 1 AS id) s ON p.id = s.id WHEN MATCHED THEN DELETE;
