"""The shipped model under each method of module 1.2 at 8, 4, 3 and 2 bits: `make perplexities`."""
