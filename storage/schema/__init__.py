"""What is kept: the tables, their columns, the states, and the migrations."""
