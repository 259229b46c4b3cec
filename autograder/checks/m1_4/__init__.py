"""Checks of module 1.4, one a file, named after the exercise."""
