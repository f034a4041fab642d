"""The report channel: what admins are told. Participants appear under their codes only."""
