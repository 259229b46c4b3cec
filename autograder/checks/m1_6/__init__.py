"""Checks of module 1.6, one a file, named after the exercise."""
