"""Templating: whether a text is made of a counter or a repeated unit, and which.

`rules` decides the plain flags, `paper` the paper's; both are slow and obvious, and `kernel` runs their native twin.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from udf.registry import udf
from udf.templating import kernel
from udf.templating.rules import TEMPLATING_SHARE

TEMPLATING = pa.struct(
    [
        ("is_incrementing", pa.bool_()),
        ("is_repeating", pa.bool_()),
        ("is_templating", pa.bool_()),
        ("paper_is_incrementing", pa.bool_()),
        ("paper_is_repeating", pa.bool_()),
        ("pattern", pa.string()),
        ("period", pa.int32()),
        ("step", pa.float64()),
        ("coverage", pa.float64()),
    ]
)
_COUNTER, _REPEAT = kernel.KIND_NAMES.index("counter"), kernel.KIND_NAMES.index("repeat")


@udf([pa.string()], TEMPLATING)
def templating(texts: pa.Array) -> pa.Array:
    """The templating flags of each text, the paper's, and the pattern behind the plain ones.

    `pattern` (`counter` or `repeat`), `period` (characters of the unit), `step` (what a counter adds; NULL for a
    repeat) and `coverage` (the share of the text that follows the pattern, 0 to 1) describe the pattern that covers
    the most of the text, whether or not that is enough for a flag; where there is none they are NULL and coverage is 0.
    NULL stays NULL; empty text has no pattern and no flag.
    """
    found = kernel.find(texts)
    enough = found.coverage >= TEMPLATING_SHARE
    incrementing, repeating = enough & (found.kind == _COUNTER), enough & (found.kind == _REPEAT)
    nothing = found.kind == 0
    columns = [
        pa.array(incrementing),
        pa.array(repeating),
        pa.array(incrementing | repeating),
        pa.array(found.paper_incrementing),
        pa.array(found.paper_repeating),
        pa.array(kernel.KIND_NAMES).take(pa.array(found.kind, mask=nothing)),
        pa.array(found.period, mask=nothing),
        pa.array(found.step, mask=found.kind != _COUNTER),
        pa.array(found.coverage),
    ]
    null = pa.array(np.asarray(texts.is_null()))
    return pa.StructArray.from_arrays(columns, fields=list(TEMPLATING), mask=null)
