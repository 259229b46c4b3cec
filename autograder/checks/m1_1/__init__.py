"""Checks of module 1.1."""
