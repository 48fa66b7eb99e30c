"""The demo: text of installed files, a tokenizer and small models trained on it, for the whole job on real input."""
