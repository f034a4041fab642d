"""Searchers: programs that choose configurations, and the distributions that they draw from."""
