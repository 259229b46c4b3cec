"""The 2:4 format group by group, with Python's own integers."""

import numpy as np


def sparse(rng: np.random.Generator, rows: int, columns: int, dtype=np.float32) -> np.ndarray:
    """A 2:4 matrix whose groups have 0, 1 or 2 non-zeros at any places; whole numbers."""
    out = np.zeros((rows, columns), dtype)
    for r, g in np.ndindex(rows, columns // 4):
        count = rng.choice([0, 1, 2, 2, 2])
        for c in rng.permutation(4)[:count]:
            out[r, 4 * g + c] = rng.integers(1, 100) * rng.choice([-1, 1])
    return out


def compress(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """values (rows, columns / 2), metadata uint8 (rows, ceil(columns / 8)) of a legal matrix."""
    rows, columns = weight.shape
    values = np.zeros((rows, columns // 2), weight.dtype)
    words = [0] * rows
    for r in range(rows):
        for g in range(columns // 4):
            group = [weight[r, 4 * g + c].item() for c in range(4)]
            chosen = [c for c in range(4) if group[c] != 0]
            chosen += [c for c in range(4) if c not in chosen][: 2 - len(chosen)]
            i, j = sorted(chosen)
            values[r, 2 * g], values[r, 2 * g + 1] = group[i], group[j]
            words[r] |= (i | j << 2) << 4 * g
    width = -(-columns // 8)
    metadata = [list(word.to_bytes(width, "little")) for word in words]
    return values, np.array(metadata, np.uint8)


def restore(values: np.ndarray, metadata: np.ndarray) -> np.ndarray:
    """The dense matrix of legal `values` and `metadata`."""
    rows, groups = len(values), values.shape[1] // 2
    out = np.zeros((rows, 4 * groups), values.dtype)
    for r in range(rows):
        word = int.from_bytes(metadata[r].tobytes(), "little")
        for g in range(groups):
            code = word >> 4 * g & 15
            out[r, 4 * g + code % 4], out[r, 4 * g + code // 4] = values[r, 2 * g : 2 * g + 2]
    return out
