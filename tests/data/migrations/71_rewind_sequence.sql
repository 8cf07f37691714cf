-- verdict: until
-- shown: differs
-- because: Numbers are given twice from now on.
-- up
SELECT setval('invoice_numbers', 1000);
