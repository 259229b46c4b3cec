"""How the shipped sentiment classifiers were made: `python -m data.sentiment --help`."""
