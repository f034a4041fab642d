"""From a study's data to numbers: one module for each question of the report."""
