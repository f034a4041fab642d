"""A study as the report reads it: its rules, its participants and their trials, as columns."""
