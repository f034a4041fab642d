"""A study as a bundle."""
