import csv
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.corpus.ingest import ingest_corpus
from memtax.corpus.tokenizer import load_corpus_tokenizer
from memtax.datasets.published import Publication, land_published
from memtax.datasets.published_source import ColumnNames, ScoreColumn
from memtax.errors import SourceError
from tests.corpus.helpers import word_tokenizer, write_mmap
from tests.datasets.conftest import ROWS

WINDOW = 4
IDS = [45, 3, 21]  # of the last, the first and the in-place shard
COLUMNS = {"Index": IDS, "Tokens": [ROWS[i][:WINDOW] for i in IDS], "70M": [1.0, None, 0.25], "12B": [1.0, 0.5, 0.0]}
SCORES = (ScoreColumn("70M", "small"), ScoreColumn("12B", "large", "step1"))


def write(path: Path, columns: dict[str, list]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
        return path
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    with path.open("w", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(file, list(columns))
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.fixture
def publish(database: Path) -> Callable[..., Publication]:
    def run(name: str, *paths: Path, corpus: str = "c", length: int = WINDOW, **given: Any) -> Publication:
        with store.writing(database) as connection:
            return land_published(connection, name, list(paths), corpus, length, **given)

    return run


def tables(database: Path) -> dict[str, list]:
    with store.reading(database) as connection:
        return {
            name: connection.execute(f"from raw.{name} order by all").fetchall()
            for name in ("corpora", "datasets", "dataset_members", "evaluated_sequences", "published_scores")
        }


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_windows_and_scores(publish: Callable, database: Path, tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", COLUMNS)
    done = publish("d", path, scores=SCORES)
    assert (done.landed, done.compared, done.notes) == (True, 3, ())
    assert done.scores == (("small@main", 2), ("large@step1", 3))
    found = tables(database)
    windows = [("c", i, 0, ROWS[i][:WINDOW]) for i in sorted(IDS)]
    assert found["evaluated_sequences"] == windows
    assert [row[:4] for row in found["dataset_members"]] == [("d", *row[:3]) for row in windows]
    assert found["published_scores"] == [
        ("d", "c", 3, 0, "large", "step1", 0.5),
        ("d", "c", 21, 0, "large", "step1", 0.0),
        ("d", "c", 21, 0, "small", "main", 0.25),
        ("d", "c", 45, 0, "large", "step1", 1.0),
        ("d", "c", 45, 0, "small", "main", 1.0),
    ]
    ((name, corpus, origin, _, n, seed, _),) = found["datasets"]
    assert (name, corpus, origin, n, seed) == ("d", "c", str(path), 3, None)
    assert publish("d", path, scores=SCORES).landed is False
    assert tables(database) == found


def test_tokens_are_read_from_the_corpus_where_the_source_has_none(
    publish: Callable, database: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", {"sequence": [0, 0, 39], "token_offset": [4, 1, 0], "counts": [1, 2, 3]})
    done = publish("d", path)
    assert done.compared == 3
    assert "not landed: the columns counts" in done.notes[0]
    assert tables(database)["evaluated_sequences"] == [
        ("c", 0, 1, ROWS[0][1:5]),
        ("c", 0, 4, ROWS[0][4:8]),
        ("c", 39, 0, ROWS[39][:4]),
    ]
    with pytest.raises(SourceError, match="does not hold 4 tokens of sequence 50 from offset 0"):
        publish("e", write(tmp_path / "b.csv", {"sequence": [1, 50]}))
    with pytest.raises(SourceError, match="does not hold 4 tokens of sequence 1 from offset 5"):
        publish("e", write(tmp_path / "b.csv", {"sequence": [1], "token_offset": [5]}))


def test_columns_can_be_named(publish: Callable, database: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"row": [7], "ids": [ROWS[7][2:6]], "at": [2]})
    publish("d", path, names=ColumnNames("row", "ids", "at"))
    assert tables(database)["evaluated_sequences"] == [("c", 7, 2, ROWS[7][2:6])]


def test_several_files_are_one_source(publish: Callable, database: Path, tmp_path: Path) -> None:
    parts = [write(tmp_path / f"{i}.parquet", {"index": [i], "tokens": [ROWS[i][:WINDOW]]}) for i in (1, 2)]
    assert publish("d", *parts).dataset.n_sequences == 2


def test_a_corpus_that_is_not_landed(publish: Callable, database: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", COLUMNS)
    tokenizer = load_corpus_tokenizer(str(word_tokenizer(tmp_path / "tokenizer.json", 400)))
    done = publish("d", path, corpus="pile", tokenizer=tokenizer)
    assert done.compared == 0
    assert "pile is not landed: its name is registered" in done.notes[0]
    assert ("pile", 400) in [(row[0], row[3]) for row in tables(database)["corpora"]]
    assert publish("e", path, corpus="pile").compared == 0
    with pytest.raises(SourceError, match="sequence_id 3 has token 0"), store.writing(database) as connection:
        ingest_corpus(connection, "pile", write_mmap(tmp_path / "other", [[0] * 8] * 50))
    with store.writing(database) as connection:
        ingest_corpus(connection, "pile", write_mmap(tmp_path / "pile", ROWS))
    with pytest.raises(SourceError, match="does not hold 4 tokens of sequence 1 "):
        publish("f", write(tmp_path / "b.csv", {"index": [1]}), corpus="unknown")


def test_sequences_that_the_corpus_lacks_are_landed_and_named(publish: Callable, tmp_path: Path) -> None:
    done = publish("d", write(tmp_path / "a.parquet", {"index": [1, 99], "tokens": [ROWS[1][:4], [1, 2, 3, 4]]}))
    assert done.compared == 1
    assert "1 windows are of sequences that corpus c does not hold" in done.notes[0]


def test_windows_of_two_lengths_are_both_held_to_the_corpus(publish: Callable, database: Path, tmp_path: Path) -> None:
    short = {"index": [1, 3], "tokens": [ROWS[1][:4], ROWS[3][:4]]}
    publish("short", write(tmp_path / "a.parquet", short), corpus="pile")
    long = {"index": [2, 3], "token_offset": [0, 1], "tokens": [ROWS[2][:6], ROWS[3][1:7]]}
    publish("long", write(tmp_path / "b.parquet", long), corpus="pile", length=6)
    wrong = [*ROWS[:3], [*ROWS[3][:6], 0, 0], *ROWS[4:]]  # where only the longer window of sequence 3 reaches
    words = "sequence_id 3 has token 0 at position 6"
    with pytest.raises(SourceError, match=words), store.writing(database) as connection:
        ingest_corpus(connection, "pile", write_mmap(tmp_path / "other", wrong))
    with store.writing(database) as connection:
        ingest_corpus(connection, "pile", write_mmap(tmp_path / "pile", ROWS))


def test_scores_that_contradict_each_other(publish: Callable, database: Path, tmp_path: Path) -> None:
    publish("first", write(tmp_path / "a.parquet", COLUMNS), scores=SCORES)
    before = tables(database)
    other = write(tmp_path / "b.parquet", COLUMNS | {"70M": [1.0, 0.75, 0.5]})
    words = r"'second' has the score 0.5 by small@main for sequence 21 .*'first' brought 0.25"
    with pytest.raises(SourceError, match=words):
        publish("second", other, scores=SCORES)
    assert tables(database) == before
    # Of another revision they are no contradiction, nor are the same scores, nor one where the first had none.
    publish("second", other, scores=[ScoreColumn("70M", "small", "step9")])
    publish("third", write(tmp_path / "c.parquet", COLUMNS | {"70M": [1.0, 0.75, 0.25]}), scores=SCORES)
    # What a dataset is replaced with contradicts no longer what it replaces.
    publish("second", write(tmp_path / "d.parquet", COLUMNS), scores=[SCORES[1]], replace=True)


def test_the_command_that_would_replace_a_dataset_can_be_followed(publish: Callable, tmp_path: Path) -> None:
    publish("it's", write(tmp_path / "a.parquet", COLUMNS))
    paths = [
        write(tmp_path / f"b {i}.parquet", {"row": [i], "Tokens": [ROWS[i][:WINDOW]], "7 M": [1.0]}) for i in (1, 2)
    ]
    with pytest.raises(SourceError) as raised:
        publish("it's", *paths, scores=[ScoreColumn("7 M", "small")], names=ColumnNames("row"))
    command = shlex.split(str(raised.value).partition("drop it with ")[2])
    assert command[:6] == ["memtax", "ingest", "sequences", "it's", *map(str, paths)]
    assert command[6:] == [
        "--corpus", "c", "--score-column", "7 M=small@main", "--id-column", "row", "--replace",
    ]  # fmt: skip


def test_another_dataset_of_the_name(publish: Callable, database: Path, tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", COLUMNS)
    second = write(tmp_path / "b.parquet", {"index": [3], "tokens": [ROWS[3][:WINDOW]]})
    publish("d", first, scores=SCORES)
    before = tables(database)
    with pytest.raises(SourceError, match=r"'d' is there and differs: 3 sequences.*--replace"):
        publish("d", second)
    with pytest.raises(SourceError, match="differs"):
        publish("d", first)  # without its scores
    assert tables(database) == before
    publish("d", second, replace=True)
    found = tables(database)
    assert [row[1] for row in found["evaluated_sequences"]] == [3]
    assert found["published_scores"] == []


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"Tokens": [ROWS[45][:4], ROWS[3][:4], [1, 2, 3, 4]]}, "sequence_id 21 has token 168 at position 0.*1 in the"),
        ({"Tokens": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}, "3 tokens in row 0, expected 4"),
        ({"Tokens": [ROWS[45][:4], [1, 2, -3, 4], ROWS[21][:4]]}, r"not a list of token ids in row 1 \(sequence 3\)"),
        ({"Tokens": [ROWS[45][:4], [1, None, 3, 4], ROWS[21][:4]]}, "not a list of token ids in row 1"),
        ({"Tokens": [ROWS[45][:4], None, ROWS[21][:4]]}, "not a list of token ids in row 1"),
        ({"Index": [3, 21, 3]}, "sequence 3 at offset 0 in rows 0 and 2"),
        ({"Index": [3, None, 4]}, "Index None in row 1"),
        ({"Index": [3, -1, 4]}, "Index -1 in row 1"),
        ({"token_offset": [0, -1, 0]}, "token_offset -1 in row 1"),
        ({"70M": [0.5, 1.5, 0.0]}, "70M 1.5 in row 1"),
        ({"70M": [0.5, -0.1, 0.0]}, "70M -0.1 in row 1"),
        ({"70M": ["a", "b", "c"]}, "70M as VARCHAR"),
        ({"Index": ["a", "b", "c"]}, "Index as VARCHAR"),
        ({"Index": [1.5, 2.5, 3.5]}, "Index as DOUBLE"),
    ],
)
def test_refusals(
    publish: Callable, database: Path, tmp_path: Path, columns: dict[str, list], words: str, suffix: str
) -> None:
    before = tables(database)
    with pytest.raises(SourceError, match=words):
        publish("d", write(tmp_path / f"a{suffix}", COLUMNS | columns), scores=SCORES)
    assert tables(database) == before


def test_refused_files(publish: Callable, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", COLUMNS)
    with pytest.raises(SourceError, match="does not exist"):
        publish("d", tmp_path / "no.parquet")
    (tmp_path / "a.xlsx").write_bytes(b"1")
    with pytest.raises(SourceError, match=r"\.xlsx; evaluated sequences are read from \.parquet"):
        publish("d", tmp_path / "a.xlsx")
    (tmp_path / "nothing.csv").touch()
    with pytest.raises(SourceError, match="is empty"):
        publish("d", tmp_path / "nothing.csv")
    with pytest.raises(SourceError, match="no rows"):
        publish("d", write(tmp_path / "b.parquet", {"index": pa.array([], pa.int64())}))
    with pytest.raises(SourceError, match="columns a; expected one of sequence_id"):
        publish("d", write(tmp_path / "c.parquet", {"a": [1]}))
    with pytest.raises(SourceError, match="no '1B' for the scores of m"):
        publish("d", path, scores=[ScoreColumn("1B", "m")])
    with pytest.raises(SourceError, match="two --score-column are of m@main"):
        publish("d", path, scores=[ScoreColumn("70M", "m"), ScoreColumn("12B", "m")])
    with pytest.raises(SourceError, match="no 'x' for the sequence ids"):
        publish("d", path, names=ColumnNames("x"))
    with pytest.raises(SourceError, match=r"Tokens as DOUBLE\[\]"):
        publish("d", write(tmp_path / "d.parquet", {"index": [1], "Tokens": [[1.5] * 4]}))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match="cannot be read"):
        publish("d", path)


def test_ids_beyond_the_vocabulary(publish: Callable, tmp_path: Path) -> None:
    tokenizer = load_corpus_tokenizer(str(word_tokenizer(tmp_path / "tokenizer.json", 100)))
    path = write(tmp_path / "a.parquet", {"index": [7, 2], "tokens": [[1, 2, 3, 4], [1, 2, 100, 4]]})
    with pytest.raises(SourceError, match=r"token id 100 in row 1.*100 entries"):
        publish("d", path, corpus="pile", tokenizer=tokenizer)


@pytest.mark.parametrize("text", ["70M", "=m", "70M=", "70M=m@", "70M=@r"])
def test_score_columns_that_cannot_be_parsed(text: str) -> None:
    with pytest.raises(SourceError, match="COLUMN=MODEL"):
        ScoreColumn.parse(text)


def test_score_columns() -> None:
    assert ScoreColumn.parse("70M=pythia-70m") == ScoreColumn("70M", "pythia-70m", "main")
    assert ScoreColumn.parse("a=o/m@step1") == ScoreColumn("a", "o/m", "step1")
