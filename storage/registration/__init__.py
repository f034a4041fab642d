"""What is settled before a study opens: the analysis plan, and the preregistration that keeps it."""
