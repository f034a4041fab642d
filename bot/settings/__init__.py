"""A study's rules (``study.toml``) and the credentials (the environment), checked before anything starts."""
