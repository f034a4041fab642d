"""What runs in the background: jobs for the workers, the scheduler, baselines, reports in a process of their own."""
