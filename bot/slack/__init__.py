"""Everything that calls Slack or listens to it. It knows nothing of the study."""
