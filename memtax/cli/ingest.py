"""`memtax ingest`: landing data, one module per kind of it."""

from __future__ import annotations

import click

from memtax.cli.ingest_corpus import corpus
from memtax.cli.ingest_features import features
from memtax.cli.ingest_hub import hub
from memtax.cli.ingest_model import model
from memtax.cli.ingest_sequences import sequences


@click.group()
def ingest() -> None:
    """Land data in the store: corpora, evaluated sequences, language models.

    \b
    Example:
      memtax ingest corpus mine tokens.bin --sequence-length 2049 --tokenizer tokenizer.json
    """


for command in (corpus, sequences, hub, features, model):
    ingest.add_command(command)
