"""Datasets: named sets of evaluated sequences, drawn from a corpus or published by others."""
