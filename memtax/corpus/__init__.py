"""Corpora: landing token data, scanning it where it lies, and reading single sequences. Nothing else reads tokens.

formats/        one module per file format: opens the files, refuses what does not match, yields token batches
land.py         one shard into the store, in one transaction
in_place.py     shards that stay in their files, as DuckDB sees them
reader.py       sequences and windows by id, wherever they are
"""
