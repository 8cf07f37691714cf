ALTER TABLE orders DROP COLUMN contact;
