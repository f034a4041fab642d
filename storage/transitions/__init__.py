"""The only code that changes what is kept: one transaction for each thing that can happen, with its rules."""
