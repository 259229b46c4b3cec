"""model-size: bytes of a float and an integer model, of their values and of their npz files."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import lenet

PARTS = {"theory": 0.6, "on disk": 0.4}
HINTS = (
    "array.nbytes is the number of values times the bytes of one.",
    "Count every array of the model: biases, m0, shifts, scales and zero-points too.",
    "np.savez(path, **arrays), then Path(path).stat().st_size.",
)


def cases(rng):
    tiny = (
        {"w": np.ones(3, np.float32)},
        {"w": np.ones(3, np.int8), "scale": np.ones(1, np.float32)},
    )
    for part in PARTS:
        yield case("three weights", part, params=tiny[0], model=tiny[1])
        for label, widths in (("a narrow network", (3, 4, 9)), ("the real widths", (8, 32, 128))):
            params = lenet.random_params(rng, *widths)
            for per_channel in (False, True):
                model = lenet.build(params, lenet.random_images(rng, 20), per_channel)
                word = "per channel" if per_channel else "per tensor"
                yield case(f"{label}, {word}", part, params=params, model=model)
        half = {k: v.astype(np.float16) for k, v in params.items()}
        yield case("a float16 network", part, params=half, model=model)


def probe(solution, params, model):
    return solution(params, model)


def judge(case, answer):
    keys = {
        "theory": ("float_bytes", "integer_bytes", "ratio"),
        "on disk": ("float_file_bytes", "integer_file_bytes", "file_ratio"),
    }[case.part]
    size = expect.mapping(answer, keys)
    measure = _values if case.part == "theory" else _file
    # A file's length may differ by a few bytes of the zip format where names or times are padded.
    slack = 0 if case.part == "theory" else 64
    sizes = measure(case.params), measure(case.model)
    for key, right in zip(keys[:2], sizes, strict=True):
        value = size[key]
        if slack and isinstance(value, (int, np.integer)) and abs(value - right) <= slack:
            continue
        expect.integer(value, right, key, hint=_hint(case, value))
    expect.number(size[keys[2]], sizes[0] / sizes[1], keys[2], rtol=1e-9 if not slack else 0.02,
                  hint="Float bytes over integer bytes: how many times smaller.")  # fmt: skip


def _values(arrays):
    return sum(int(np.prod(a.shape)) * a.dtype.itemsize for a in arrays.values())


def _file(arrays):
    """Length of the zip archive that np.savez writes."""
    import io

    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return len(buffer.getvalue())


def _hint(case, value):
    if case.part == "theory":
        return "Every value of every array, each with the bytes of its dtype."
    return "The length of the file of np.savez, uncompressed and with one array for each name."
