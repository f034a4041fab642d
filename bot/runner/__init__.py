"""What runs beside the conversation: jobs for the workers, the clock, searchers, reports in a process of their own."""
