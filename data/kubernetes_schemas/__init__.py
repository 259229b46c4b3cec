"""Kubernetes' own JSON schemas of the few kinds that the course writes; see README.md."""
