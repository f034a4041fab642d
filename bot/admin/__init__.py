"""The report channel: what admins are told. Participants appear by their code only."""
