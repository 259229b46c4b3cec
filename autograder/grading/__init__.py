"""Grading a class with nbgrader."""

import sys

# jsonschema takes this optional package for formats of international addresses, and importing it
# compiles a grammar: over a second, half of what nbgrader needs to start. No notebook has them.
sys.modules.setdefault("rfc3987_syntax", None)
