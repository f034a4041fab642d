"""The bot as a process of its machine: its log, how it is stopped, and how the system sees that it is well."""
