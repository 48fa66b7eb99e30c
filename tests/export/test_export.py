"""`memtax export`: what the folder holds, that it is the same each time, and that a damaged one is found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from memtax import store
from memtax.export.paper import COLUMNS, split_name
from tests.conftest import Commands


def checksums(folder: Path) -> dict[str, str]:
    content = json.loads((folder / "memtax-export.json").read_text(encoding="utf-8"))
    return {record["path"]: record["sha256"] for record in content["files"]}


def shards(folder: Path, config: str) -> list[Path]:
    return sorted((folder / config).glob("*.parquet"))


@pytest.fixture(scope="module")
def exported(demo: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "all"
    demo.memtax("export", folder, "--license", "odc-by")
    return folder


def test_every_mart_is_there_with_all_its_rows_in_order(demo: Commands, exported: Path) -> None:
    with store.reading(demo.database) as connection:
        marts = [
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'main'"
            ).fetchall()
        ]
        marts = [mart for mart in marts if connection.execute(f"from main.{mart} limit 1").fetchone()]
        assert {path.name for path in exported.iterdir() if path.is_dir()} == set(marts)
        for mart in marts:
            files = [str(path) for path in shards(exported, mart)]
            columns = [column for column in pq.read_schema(files[0]).names if column != "tokenizer"]
            listed = ", ".join(columns)
            assert connection.execute(
                f"select count(*) from (select {listed} from main.{mart} except all select {listed} from read_parquet(?))",
                [files],
            ).fetchone() == (0,), mart
        keys = pq.read_table(shards(exported, "features")[0], columns=["sequence_id", "model", "revision"]).to_pylist()
    assert keys == sorted(keys, key=lambda row: (row["sequence_id"], row["model"], row["revision"]))
    metadata = pq.read_metadata(shards(exported, "features")[0])
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_card_says_what_each_column_is(exported: Path) -> None:
    text = (exported / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["license"] == "odc-by"
    assert {config["config_name"] for config in header["configs"]} == {
        info["config_name"] for info in header["dataset_info"]
    }
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", text, flags=re.MULTILINE)
    assert len(rows) > 100
    assert [name for name, description in rows if not description] == []
    assert "recitation_threshold" in text
    assert "Made from `dim_models`, `features`." in text
    assert re.search(r"^- corpus demo: [\d,]+ sequences, [\d,]+ tokens$", text, flags=re.MULTILINE)
    assert "- language models: demo-large@step176, demo-large@step351" in text
    assert "2406.17746" in text


def test_the_same_store_makes_the_same_bytes_and_no_path_leaks(demo: Commands, exported: Path, tmp_path: Path) -> None:
    demo.memtax("export", tmp_path / "all", "--license", "odc-by")
    assert checksums(tmp_path / "all") == checksums(exported)
    for path in exported.rglob("*"):
        if path.is_file():
            assert str(demo.database.parent.parent).encode() not in path.read_bytes()
            assert b"/.demo/" not in path.read_bytes()


def test_shards_stay_under_the_limit(demo: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import memtax.export.shards as module
    from memtax.export.selection import ExportTable

    monkeypatch.setattr(module, "ROWS_IN_GROUP", 1_000)
    table = ExportTable("numbers", "train", "select i, hash(i) as h from range(50_000) as t(i)", ("i",), "")
    with store.reading(demo.database) as connection:
        written = module.write_table(connection, table, tmp_path, 200_000)
    assert len(written.files) > 1
    assert written.files[0] == f"numbers/train-00000-of-{len(written.files):05d}.parquet"
    assert all((tmp_path / path).stat().st_size <= 200_000 for path in written.files)
    assert pq.read_table([tmp_path / path for path in written.files])["i"].to_pylist() == list(range(50_000))


def test_a_group_that_is_larger_than_those_before_it_begins_a_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    import memtax.export.shards as module
    from memtax.export.selection import ExportTable

    monkeypatch.setattr(module, "ROWS_IN_GROUP", 2_048)
    monkeypatch.setattr(module, "BATCH_ROWS", 2_048)
    # Hardly any bytes to a row at first, and 40 later.
    query = "select i, case when i % 30_000 > 20_000 then repeat(md5(i::varchar), 2) else '' end as t from range(90_000) as r(i)"
    with duckdb.connect() as connection:
        written = module.write_table(connection, ExportTable("t", "train", query, ("i",), ""), tmp_path, 100_000)
        assert max((tmp_path / path).stat().st_size for path in written.files) <= 100_000
        rows = pq.read_table([tmp_path / path for path in written.files])
        assert rows.to_pydict() == connection.execute(query).to_arrow_table().to_pydict()
        again = module.write_table(connection, ExportTable("t", "train", query, ("i",), ""), tmp_path / "b", 100_000)
    assert [(tmp_path / p).read_bytes() for p in written.files] == [
        (tmp_path / "b" / p).read_bytes() for p in again.files
    ]
    assert not list(tmp_path.rglob("*.whole"))


def test_where_keeps_what_belongs_to_the_chosen_rows(demo: Commands, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    where = "memorized and model = 'demo-large' -- and nothing else"
    demo.memtax("export", folder, "--where", where, "--tables", "features,feat_sequence__text,dim_models")
    features = pq.read_table(shards(folder, "features"))
    assert features.num_rows > 0
    assert set(features["memorized"].to_pylist()) == {True}
    ids = set(features["sequence_id"].to_pylist())
    assert set(pq.read_table(shards(folder, "feat_sequence__text"))["sequence_id"].to_pylist()) == ids
    assert set(pq.read_table(shards(folder, "dim_models"))["model"].to_pylist()) == {"demo-large"}
    assert "demo-small" not in (folder / "README.md").read_text(encoding="utf-8")
    for wrong in ("no_such_column", "true) union all (select 1", "1; drop table main.features"):
        result = demo.memtax("export", tmp_path / "no", "--where", wrong, check=False)
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_paper_schema_has_its_27_columns(demo: Commands, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    demo.memtax("export", folder, "--schema", "paper")
    files = shards(folder, "default")
    assert len(files) == 6
    names = [
        "sequence_id",
        "loss",
        "prompt_perplexity",
        "generation_perplexity",
        "sequence_perplexity",
        "text",
        "is_incrementing",
        "is_repeating",
        "sequence_duplicates",
        "max_frequency",
        "avg_frequency",
        "min_frequency",
        "median_frequency",
        "p25_frequency",
        "p75_frequency",
        "frequencies",
        "tokens",
        "repeating_offset",
        "num_repeating",
        "smallest_repeating_chunk",
        "nl_scores",
        "0_8_snowclones",
        "0_9_snowclones",
        "0_8_templates",
        "0_9_templates",
        "huffman_coding_length",
        "memorization_score",
    ]
    assert [name for name, *_ in COLUMNS] == names
    for path in files:
        table = pq.read_table(path)
        assert table.column_names == names
        assert all(len(tokens) == 64 for tokens in table["tokens"].to_pylist())
    card = (folder / "README.md").read_text(encoding="utf-8").split("### default")[1]
    described = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", card, flags=re.MULTILINE))
    assert list(described) == names
    assert all(described.values())


@pytest.mark.parametrize(
    ("dataset", "model", "revision", "expected"),
    [
        ("memories", "pythia-12b-deduped", "main", "memories_deduped_12b"),
        ("memories", "pythia-1.4b", "step23000", "memories_duped_1.4b.23000"),
        # The paper's own tables, landed under their published names, leave under them.
        ("memories_deduped_12b", "pythia-12b-deduped", "main", "memories_deduped_12b"),
        ("memories_deduped_12b.23000", "pythia-12b-deduped", "step23000", "memories_deduped_12b.23000"),
        ("my data", "org/model", "step3", "my_data_org_model_step3"),
    ],
)
def test_a_split_of_the_paper_schema_is_named_as_published(
    dataset: str, model: str, revision: str, expected: str
) -> None:
    assert split_name(dataset, model, revision) == expected


def test_a_damaged_folder_is_found_and_foreign_files_are_left(demo: Commands, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    demo.memtax("export", folder, "--tables", "dim_models")
    assert "2 files are as they were exported" in demo.memtax("export", folder, "--verify").stdout
    shard = shards(folder, "dim_models")[0]
    content = shard.read_bytes()
    shard.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    for damage, expected in (
        (lambda: None, "has other content"),
        (lambda: shard.write_bytes(content[:-1]), "bytes, expected"),
        (shard.unlink, "is missing"),
    ):
        damage()
        result = demo.memtax("export", folder, "--verify", check=False)
        assert result.returncode == 1
        assert expected in result.stderr
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    result = demo.memtax("export", folder, "--tables", "dim_models", check=False)
    assert "which no export wrote" in result.stderr
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"
