"""What only reads the database."""
