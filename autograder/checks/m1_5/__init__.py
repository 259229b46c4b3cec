"""Checks of module 1.3, one a file, named after the exercise."""
