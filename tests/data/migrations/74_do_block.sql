-- verdict: impossible
-- shown: differs
-- because: A DO block may do anything; this one builds its statement at run time.
-- tricky: yes
-- up
DO $$ BEGIN EXECUTE 'DEL' || 'ETE FROM parcels'; END $$;
