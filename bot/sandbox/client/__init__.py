"""A person as a small client of the workspace, for tests and for simulated participants."""
