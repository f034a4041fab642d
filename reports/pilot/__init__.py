"""A pilot: whether a task is fit to measure skill, from trials of a spread of settings with several seeds each."""
