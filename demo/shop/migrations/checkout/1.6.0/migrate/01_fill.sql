UPDATE orders SET contact = 'unknown' WHERE contact IS NULL;
