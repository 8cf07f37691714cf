"""The shop's own services, one process each: storefront, checkout, payments and the banks."""
