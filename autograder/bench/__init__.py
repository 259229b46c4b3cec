"""Side-by-side measurement of the ways to grade a class: `course bench`, `make bench`."""
