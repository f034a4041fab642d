"""``/study``: what researchers do."""
