-- Every order has a contact, also those that 1.6.0 writes itself.
SELECT id FROM orders WHERE contact IS NULL;
