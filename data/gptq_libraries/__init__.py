"""GPTQ by the libraries, each in an environment of its own: `make gptqmodel`, `make autogptq`."""
