"""The evaluated sequences that are nearest to a text or to one of them, for people to look at.

`index.py` keeps an approximate index over the stored embeddings beside the database, `search.py` asks it and measures
what it finds by the stored vectors. The match counts of the marts do not go this way: they are exact.
"""
