"""From a study's data to numbers: one module for each question that the report asks."""
