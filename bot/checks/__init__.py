"""Checks before a study begins: tokens, scopes, the connection, the clock, the people and channels it needs."""
