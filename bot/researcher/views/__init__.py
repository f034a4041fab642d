"""What researchers read: pure functions from data to Block Kit. Participants appear under their codes only."""
