"""What it means: numbers computed from what is stored, and pictures drawn from such numbers."""
