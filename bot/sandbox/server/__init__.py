"""The local workspace as a running server: the doors for the app and for people, and what they share."""
