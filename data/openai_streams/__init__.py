"""Answers of a real OpenAI-compatible server, byte for byte; `python -m data.openai_streams` records them."""
