"""Statistics on plain arrays: tests, intervals, regression. They know nothing of a study."""
