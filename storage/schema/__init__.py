"""The tables with their columns and states, and the migrations."""
