"""What researchers read. Participants appear by their codes only."""
