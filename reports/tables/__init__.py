"""The report's tables, and its numbers in words."""
