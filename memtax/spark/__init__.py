"""The same project on Spark: a session with the UDFs, the raw tables as Parquet, dbt in one process with them, the way back."""
