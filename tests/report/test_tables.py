"""The report's questions to a store of another version."""

from __future__ import annotations

import duckdb
import pytest

from memtax.errors import StoreError
from memtax.report.tables import Tables


def test_models_without_what_orders_them_say_that_dbt_should_run() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table dim_models as select 'c' as corpus, 'm' as model, 'main' as revision")
        connection.execute("create table taxonomy_models as select 'm' as model, 'main' as revision")
        with pytest.raises(StoreError, match=r"'runs' .*another version of memtax: run dbt run"):
            Tables(connection).runs()
