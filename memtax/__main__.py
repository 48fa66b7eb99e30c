"""`python -m memtax` is the command line."""

from memtax.cli import main

main(prog_name="memtax")
