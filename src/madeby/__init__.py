"""madeby."""
