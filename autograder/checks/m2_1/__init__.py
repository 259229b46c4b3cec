"""Checks of module 2.1, one a file, named after the exercise."""
