"""The shipped model as GGUF, quantized by llama.cpp: `make lm-gguf`."""
