"""A tiny language model that really answers, right and wrong: how it and its questions are made."""
