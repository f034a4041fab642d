"""Batch losses are kept as compressed little-endian float32, bit for bit as the training sent them."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LITTLE_ENDIAN_FLOAT32 = np.dtype("<f4")

Losses = NDArray[np.float32] | Sequence[float]
"""One float32 per batch, in the order of training. They may be infinite or NaN."""


def pack(losses: Losses) -> bytes:
    """Compress a one-dimensional series of losses.

    Raises:
        ValueError: The series has more than one dimension.
    """
    series: NDArray[Any] = np.asarray(losses, dtype=_LITTLE_ENDIAN_FLOAT32)
    if series.ndim != 1:
        raise ValueError(f"Batch losses are one number per batch; this array has the shape {series.shape}.")
    return zlib.compress(series.tobytes())


def unpack(packed: bytes) -> NDArray[np.float32]:
    """The losses that :func:`pack` was given, as an array of shape (batches,)."""
    return np.frombuffer(zlib.decompress(packed), dtype=_LITTLE_ENDIAN_FLOAT32).astype(np.float32)
