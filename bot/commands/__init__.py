"""What ``blackmagic`` can be told on the command line, one file per command."""
