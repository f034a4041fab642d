"""What is kept, read for those who show it. Nothing here writes."""
