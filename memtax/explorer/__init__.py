"""`memtax explore`: the store in a browser, on this machine alone, and only to read.

`server.py` listens, `app.py` has the routes, `security.py` what every answer carries. A request is a `Selection` of rows
(`selection.py`, `filters.py`, `paging.py`), which `statements.py` turns into SQL; `rows.py`, `overview.py`, `sequence.py` and
`download.py` read what a page shows, `catalogue.py` what there is to choose from. `display.py`, `excerpts.py` and `tokens.py`
turn values into what the templates show: text of a corpus is never markup.
"""
