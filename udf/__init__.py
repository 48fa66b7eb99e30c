"""memtax's user-defined functions: Arrow batch in, Arrow batch out.

`register(connection)` makes all of them callable from SQL on a DuckDB connection, which is how dbt, the command line,
notebooks and tests get them.
"""

from udf.engine_duckdb import register
from udf.errors import UdfError
from udf.registry import Udf, registered

__all__ = ["Udf", "UdfError", "register", "registered"]
