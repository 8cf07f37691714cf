UPDATE orders SET contact = NULL WHERE contact = 'unknown';
