"""What the server remembers: answers, feedback and, if asked, pictures; in SQLite or PostgreSQL."""
