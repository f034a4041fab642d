"""What Slack takes: blocks, the manifest's scopes, rate limits; and how it says no."""
