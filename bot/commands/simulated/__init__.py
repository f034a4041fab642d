"""Simulated people, who take part in the demo's study."""
