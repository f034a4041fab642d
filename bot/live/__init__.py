"""The live feed: keeps loss plots up to date in their messages, within Slack's limits."""
