"""The connection to the app: Socket Mode, and what every request needs."""
