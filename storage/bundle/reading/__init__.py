"""A bundle as a study in the database."""
