"""Checks of module 1.5, one a file, named after the exercise."""
