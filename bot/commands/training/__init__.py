"""The commands that train here and now, or fetch what is trained on: no Slack, and no bot that runs."""
