"""One configuration in, losses and an accuracy out. Knows no Slack and no database."""
