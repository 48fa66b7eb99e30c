"""Text to the token ids of another tokenizer, with the border between prompt and continuation kept."""

from __future__ import annotations

import pyarrow as pa

from udf.detokenize import load_tokenizer
from udf.registry import udf

_WINDOW = pa.struct([pa.field("tokens", pa.list_(pa.uint32())), pa.field("prompt_length", pa.int32())])


@udf([pa.string(), pa.string(), pa.string()], _WINDOW)
def tokenize_window(prompt_text: pa.Array, text: pa.Array, tokenizer: pa.Array) -> pa.Array:
    """Encode each text as one piece, and say how many of its tokens lie wholly within the prompt.

    A token that reaches over the border counts as the continuation's, so that no part of the continuation goes unscored.

    Args:
        prompt_text: with what the text begins.
        text: prompt and continuation.
        tokenizer: a tokenizer.json, a folder that holds one, a GGUF file, or a hub id.

    Returns:
        struct per row: tokens, `UINTEGER[]`, without the special tokens that a tokenizer adds around a text; and
        prompt_length, NULL where no token lies within the prompt. NULL where an argument is.

    Raises:
        UdfError: there is no such tokenizer.
    """
    rows = [*zip(prompt_text.to_pylist(), text.to_pylist(), tokenizer.to_pylist(), strict=True)]
    found: list[dict[str, object] | None] = [None] * len(rows)
    for location in {row[2] for row in rows if row[2] is not None}:
        chosen = [at for at, row in enumerate(rows) if row[2] == location and None not in row]
        encoder = load_tokenizer(location)
        for at, encoding in zip(
            chosen, encoder.encode_batch([rows[at][1] for at in chosen], add_special_tokens=False), strict=True
        ):
            border = len(rows[at][0])
            within = next((i for i, (_, end) in enumerate(encoding.offsets) if end > border), len(encoding.ids))
            found[at] = {"tokens": encoding.ids, "prompt_length": within or None}
    return pa.array(found, _WINDOW)
