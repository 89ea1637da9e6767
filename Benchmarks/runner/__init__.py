"""Runs servers against each other and writes down how they compare: `make bench`."""
