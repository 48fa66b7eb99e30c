import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

def instruction_sets() -> list[str]: ...

class Rows:
    def __init__(
        self,
        values: Floats,
        labels: npt.NDArray[np.uint8],
        *,
        shift: Floats | None = None,
        scale: Floats | None = None,
        threads: int = 1,
    ) -> None: ...
    def __len__(self) -> int: ...
    @property
    def n_columns(self) -> int: ...
    @property
    def n_indicators(self) -> int: ...
    def add_indicator(self, holds: npt.NDArray[np.uint8]) -> int: ...
    def count(self, choices: npt.NDArray[np.int32], *, threads: int = 1) -> npt.NDArray[np.uint64]: ...
    def derive(
        self,
        choices: npt.NDArray[np.int32],
        coefficients: Floats,
        weights: Floats,
        *,
        with_hessian: bool = True,
        threads: int = 1,
        instruction_set: str = "",
    ) -> tuple[Floats, Floats, Floats, Floats]: ...
