"""What a participant sees: pure functions from data to Block Kit."""
