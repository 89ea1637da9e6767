"""Measures servers that share their topics through Redis: `make bench-redis`."""
