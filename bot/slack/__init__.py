"""Everything that calls Slack or listens to it, whatever the study is about."""
