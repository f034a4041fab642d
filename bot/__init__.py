"""The conversation: everything that knows Slack, and the program that holds it together."""
