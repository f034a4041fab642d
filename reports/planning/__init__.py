"""Planning a study: the power of its tests for numbers of people, group sizes and effects, by simulation."""
