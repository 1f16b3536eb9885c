"""Search over recipes: what is tried, who tries it, and what came of it."""
