-- Where the buyer of an order is reached; the old version writes none.
ALTER TABLE orders ADD COLUMN contact text;
