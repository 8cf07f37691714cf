-- verdict: impossible
-- shown: argued
-- because: What is longer no longer fits; blanks at the end are cut silently.
-- up
ALTER TABLE customers ALTER COLUMN name TYPE varchar(40);
