"""How the shipped language model was made: `python -m data.language_model --help`."""
