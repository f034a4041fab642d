"""The conversation with participants: listeners and views of the direct messages."""
