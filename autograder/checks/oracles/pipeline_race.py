"""The judge's side of a race between the offered pipeline and a learner's: job, run, result."""

import functools
import io
import json
import secrets
import sys
from pathlib import Path
from typing import Any

import numpy as np

from autograder.checks import expect
from lab.cuda import process

WALL_S = 150.0
# Float32 sums in another order differ by 2e-5 here; float16 weights by 2e-3.
BOUND = 3e-4
GAIN, FULL_GAIN = 1.5, 3.0
NO_PROCESSES = "It may not start other processes: gains come from doing less, not from more cores."
MOST_ROUNDS = 9
VOCABULARY = 2048


def run(source: str, name: str, seed: int, again: bool = True) -> dict[str, Any]:
    """What came of the race between the offered pipeline and `name` in `source`.

    Args:
        again: False: the last race of this text will do.

    Returns:
        built, checked, times, changed, gone, helpers, mutated: see pipeline_driver.py;
        batches: those checked; arrays: want_i_j, tokens_i_j and got_i_j for prompt j of batch i.
        problem: why there is no result, or "".
    """
    key = source, name, seed
    if again or key not in _last:
        _last.clear()
        _last[key] = _run(*key)
    return _last[key]


_last: dict[tuple, dict] = {}


def _run(source: str, name: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    check = check_batches(rng)
    timed = [_batch(rng, _lengths(rng), 8) for _ in range(MOST_ROUNDS)]
    job = {"text": source, "name": name, "pipeline": _pipeline_text(), "check": check}
    job |= {"timed": timed, "demands": (GAIN, FULL_GAIN), "bound": BOUND}
    job["key"] = secrets.token_hex(16)  # a result without it was not written by the driver
    here = Path(__file__).parent
    files = {
        "driver.py": (here / "pipeline_driver.py").read_bytes(),
        "pipeline_worker.py": (here / "pipeline_worker.py").read_bytes(),
        "job.json": json.dumps(job).encode(),
        "weights.npz": _weights_bytes(),
    }
    ended = process.runner()([sys.executable, "driver.py"], files, ["result.npz"], WALL_S)
    result = _read(ended.files.get("result.npz", b""), job["key"])
    if result is None:
        reason = ended.reason or f"its process ended with status {ended.status}"
        return {"problem": reason, "log": ended.stderr[-400:].decode(errors="replace")}
    return result | {"batches": check, "problem": ""}


def check_batches(rng: np.random.Generator) -> list[dict]:
    """Batches to compare: one token alone, ragged lengths, equal ones, a full context, many, long."""
    ragged = [1, 2, *(int(n) for n in rng.integers(5, 60, 3))]
    rng.shuffle(ragged)
    many = [int(n) for n in rng.integers(1, 4, 18)]
    shapes = [([1], 1), ([7], 5), (ragged, 3), ([12, 12], 3), ([510, 3], 2), ([6], 2)]
    shapes += [(many, 1), ([3], 20)]
    return [_batch(rng, lengths, new_tokens) for lengths, new_tokens in shapes]


def _lengths(rng: np.random.Generator) -> list[int]:
    """Lengths of a timed batch: the sum varies little, so that rounds compare."""
    shift = int(rng.integers(0, 8))
    lengths = [1 + shift, 24 + int(rng.integers(0, 4)), 60 - shift]
    rng.shuffle(lengths)
    return lengths


def _batch(rng: np.random.Generator, lengths: list[int], new_tokens: int) -> dict:
    text = _heldout()
    starts = [int(rng.integers(len(text) - n)) for n in lengths]
    prompts = [text[s : s + n].tolist() for s, n in zip(starts, lengths, strict=True)]
    return {"prompts": prompts, "new_tokens": new_tokens}


@functools.cache
def _heldout() -> np.ndarray:
    from lab.lm import load_tokens

    tokens = load_tokens("heldout").astype(int)
    return _renamed()[tokens]


@functools.cache
def _renamed() -> np.ndarray:
    """The race's id of each token: 0, 1 and 2 are the three most frequent of the text.

    A pipeline that stops at one of the usual end tokens stops often then.
    """
    from lab.lm import load_tokens

    counts = np.bincount(load_tokens("heldout").astype(int), minlength=VOCABULARY)
    return np.argsort(np.argsort(-counts, kind="stable"), kind="stable")


@functools.cache
def _pipeline_text() -> str:
    from lab.paths import repo_root

    return (repo_root() / "lab" / "naive_pipeline.py").read_text(encoding="utf-8")


@functools.cache
def _weights_bytes() -> bytes:
    from lab.four_bit_lm import four_bit_weights

    arrays = {name: tensor.numpy() for name, tensor in four_bit_weights().items()}
    arrays["embed"] = arrays["embed"][np.argsort(_renamed())]
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _read(data: bytes, key: str) -> dict | None:
    """The report and the arrays of a result file that the driver wrote."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        report = json.loads(found.pop("report").tobytes())
    except (ValueError, OSError, KeyError, EOFError):
        return None
    return report | {"arrays": found} if report.get("key") == key else None


def gains(times: list[list[float]]) -> tuple[float, float]:
    """Ratios of medians over the rounds: wall clock, CPU (infinite where it was not measured)."""
    mine_wall, mine_cpu, wall, cpu = np.median(np.array(times, dtype=float), axis=0)
    return float(mine_wall / wall), float(mine_cpu / cpu) if cpu == cpu else float("inf")


def counted(times: list[list[float]]) -> float:
    """The gain that counts: CPU time's, at most twice the wall clock's.

    A busy machine moves wall times of milliseconds far, CPU times little, and threads of the pipeline's
    are in its CPU time; other processes are refused. The clock's part in it is that a pipeline which
    waits, for whatever it may be, gains nothing. Where CPU time is not known, the clock decides.
    """
    wall, cpu = gains(times)
    return min(cpu, 2 * wall) if cpu != float("inf") else wall


def came_through(result: dict) -> None:
    """Refuse a race that did not take place: no text, an error, a process that ended."""
    if result["problem"]:
        expect.wrong("error", f"Your pipeline could not be run: {result['problem']}.")
    built = result["built"]
    _no_error(built, "Building your pipeline")
    if not result["gone"] or built:
        expect.that(built.get("ok", False), "Return a function of (prompts, new_tokens).",
                    stage="type", yours=f"a {built.get('kind')}", right="a function")  # fmt: skip
    for header in (*result["checked"], (result["changed"] or {}).get("answer", {})):
        if header.get("error") == "changed prompts":
            expect.wrong("mutation", "Your pipeline changes the prompts that it is given.",
                         hint="Work on a copy: `ids = list(prompt)`.")  # fmt: skip
        if header.get("error") == "form":
            expect.wrong("type", f"{header.get('text')}.")
        _no_error(header, "A call of your pipeline")
    if result["gone"]:
        expect.wrong("error", f"Your pipeline gave no answer: {result['gone']}.",
                     hint="Building may take 30 s, a call 20 s, all calls together 60 s.")  # fmt: skip
    expect.that(not result["mutated"], f"Your pipeline changes the weight {result['mutated']!r}.",
                stage="mutation", hint="Work on a copy: the caller still needs the original.")  # fmt: skip
    expect.that(not result["helpers"], "Your pipeline let other processes work for it.",
                hint=NO_PROCESSES)  # fmt: skip


def _no_error(header: dict, what: str) -> None:
    if header.get("error") in ("NameError", "ModuleNotFoundError", "ImportError"):
        expect.wrong("error", f"{what} raised {header['error']}: {header.get('text')}.",
                     where=str(header.get("line", "")),
                     hint="The judge takes your function's text, and the functions, imports and "
                          "plain constants of the notebook that it uses, to a process that has "
                          "torch, NumPy and lab.naive_pipeline.")  # fmt: skip
    if "error" in header:
        text = f": {header.get('text')}" if header.get("text") else ""
        hint = NO_PROCESSES if header["error"] == "PermissionError" else ""
        expect.wrong("error", f"{what} raised {str(header['error'])[:80]}{text}.",
                     where=str(header.get("line", "")), hint=hint)  # fmt: skip
