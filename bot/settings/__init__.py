"""The settings of a study (``study.toml``) and the credentials (environment), checked before the bot starts."""
