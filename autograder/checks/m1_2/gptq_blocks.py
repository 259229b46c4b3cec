"""gptq-blocks: what each block is given, once, after all blocks before it; codes side by side.

The block solver is the check's own: it hands out errors and codes drawn beforehand, so that every
update is a linear one and nothing hangs on a rounding.
"""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"values": 0.75, "edges": 0.25}
HINTS = (
    "for start in range(0, K, block_size): end = min(start + block_size, K).",
    "Give solve_block the columns start:end as they are now, and u[start:end, start:end].",
    "w[:, end:] -= errors @ u[start:end, end:] brings all later columns up to date.",
)


def _layer(rng, rows, columns):
    return {
        "w": rng.standard_normal((rows, columns)),
        "u": gptq.cholesky_of_inverse(gptq.hessian(gptq.inputs(rng, 4 * columns, columns))),
        "errors": rng.standard_normal((rows, columns)),
        "codes": rng.integers(0, 256, (rows, columns)).astype(np.uint8),
    }


def cases(rng):
    yield case(
        "6 columns in blocks of 2", part="values", options={"block_size": 2}, **_layer(rng, 3, 6)
    )
    yield case(
        "5 x 24 in blocks of 8", part="values", options={"block_size": 8}, **_layer(rng, 5, 24)
    )
    yield case(
        "12 x 12 in blocks of 4", part="values", options={"block_size": 4}, **_layer(rng, 12, 12)
    )
    wide = {
        "w": rng.standard_normal((2, 300)),
        "u": np.triu(rng.standard_normal((300, 300))),
        "errors": rng.standard_normal((2, 300)),
        "codes": rng.integers(0, 16, (2, 300)).astype(np.uint8),
    }
    yield case("300 columns, the default", part="values", options={}, **wide)
    yield case("a last block of 1", part="edges", options={"block_size": 3}, **_layer(rng, 4, 10))
    yield case("blocks of one column", part="edges", options={"block_size": 1}, **_layer(rng, 3, 5))
    yield case("one block", part="edges", options={"block_size": 7}, **_layer(rng, 2, 7))
    yield case(
        "a block larger than the layer",
        part="edges",
        options={"block_size": 64},
        **_layer(rng, 2, 6),
    )
    for size in (0, -4):
        label = f"a block size of {size}"
        yield case(
            label, part="edges", options={"block_size": size}, refuse=True, **_layer(rng, 2, 4)
        )


def probe(solution, w, u, errors, codes, options, refuse=False):
    seen = []
    given = [0]

    def solve_block(w_block, u_block):
        if len(seen) > 2 * w.shape[1]:
            raise RuntimeError("solve_block is called again and again")
        start = given[0]
        stop = start + np.shape(w_block)[1]
        given[0] = stop
        # Copies: what was handed over must be seen as it was then.
        seen.append([np.array(w_block), np.array(u_block)])
        return codes[:, start:stop].copy(), errors[:, start:stop].copy()

    if not refuse:
        made = solution(w, u, solve_block, **options)
        return {"codes": made, "seen": seen}
    try:
        solution(w, u, solve_block, **options)
    except NotImplementedError:
        raise
    except Exception as error:
        kind = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        return {"raised": kind}
    return {"raised": None}


def judge(case, answer):
    if case.inputs.get("refuse"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    columns, size = case.w.shape[1], case.options.get("block_size", 128)
    edges = [*range(0, columns, size), columns]
    seen = answer["seen"]
    expect.array(answer["codes"], "codes", shape=case.w.shape, dtype=np.uint8)
    widths = [np.shape(block)[1] if np.ndim(block) == 2 else 0 for block, _ in seen]
    expect.that(
        widths == [b - a for a, b in zip(edges, edges[1:], strict=False)],
        "solve_block is called once for each block, from left to right.",
        yours=f"{len(seen)} calls, widths {widths[:6]}",
        right=f"{len(edges) - 1} calls, {size} columns each, fewer in the last",
    )
    for number, ((got_w, got_u), start, stop) in enumerate(
        zip(seen, edges, edges[1:], strict=False)
    ):
        want_u = case.u[start:stop, start:stop]
        expect.close(got_u, want_u, f"u_block of block {number}", rtol=1e-12)
        # Left-looking: all that earlier blocks owe to these columns, in one product.
        want_w = case.w[:, start:stop] - case.errors[:, :start] @ case.u[:start, start:stop]
        expect.array(got_w, f"w_block of block {number}", shape=want_w.shape, dtype=np.float64)
        expect.close(
            got_w,
            want_w,
            f"w_block of block {number}",
            rtol=1e-9,
            atol=1e-9 * np.abs(case.u).max() * max(start, 1),
            hint="Subtract errors @ u[start:end, end:] from all later columns after each block.",
        )
    expect.codes(
        answer["codes"], case.codes, "codes", hint="Put each block's codes in its columns."
    )
