"""Checks of module 1.2."""
