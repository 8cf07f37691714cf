-- From here on an order has a contact; a version that writes none can no longer run.
ALTER TABLE orders ADD CONSTRAINT contact_present CHECK (contact IS NOT NULL) NOT VALID;
