"""A tiny shop: enough domain to have tests worth looking at."""
