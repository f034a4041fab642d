"""What admins read in the report channel: pure functions from data to Block Kit. Participants appear by code only."""
