"""Kernels forked from a process that has the heavy libraries imported."""
