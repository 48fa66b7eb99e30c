"""Feature tables as a folder that `datasets.load_dataset` reads: Parquet shards, a dataset card and a manifest."""
