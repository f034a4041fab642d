"""What Slack accepts: blocks, scopes of the manifest, rate limits; and how it refuses the rest."""
