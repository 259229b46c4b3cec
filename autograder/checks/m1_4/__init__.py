"""Checks of module 1.4."""
