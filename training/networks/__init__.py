"""The networks, and what makes them fast."""
