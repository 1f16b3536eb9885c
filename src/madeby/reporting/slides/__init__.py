"""The story as slides: titles that state what was found, charts that can be edited."""
