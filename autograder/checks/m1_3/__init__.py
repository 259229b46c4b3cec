"""Checks of module 1.3."""
