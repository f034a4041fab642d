"""Loss plots while they change: kept up to date in their messages, within Slack's limits."""
