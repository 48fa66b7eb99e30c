"""Ad-hoc SQL over the store: statements that only read, their results in several formats, and a prompt."""
