"""References that several judges share, written without the lessons' solutions."""
