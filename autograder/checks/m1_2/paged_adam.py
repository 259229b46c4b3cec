"""paged-adam: which pages leave for a spike, by sending one page after the other out."""

import numpy as np

from autograder.checks import case, expect

PARTS = {"steps": 0.6, "edges": 0.25, "refuse": 0.15}
HINTS = (
    "resident = base_bytes + 4 * trained; pages = -(-8 * trained // page_bytes).",
    "excess = resident + pages * page_bytes + activations - budget; out = max(0, -(-excess // page_bytes)).",
    "moved counts both ways: 2 * sum(pages_out) * page_bytes.",
)


def cases(rng):
    def one(label, part, base, trained, activations, budget, page, good=True):
        return case(
            label,
            part,
            base=base,
            trained=trained,
            activations=activations,
            budget=budget,
            page=page,
            good=good,
        )

    yield one("nothing pages", "steps", 1000, 10, [100, 200, 300], 5000, 32)
    yield one("the example", "steps", 1000, 10, [100, 700], 1800, 32)
    yield one("every step pages", "steps", 5000, 100, [300, 420, 900], 6350, 64)
    for label in ("drawn", "drawn, once more", "drawn, small pages"):
        page = int(rng.choice([48, 100, 256])) if "small" not in label else 7
        base, trained = int(rng.integers(10_000, 90_000)), int(rng.integers(500, 3000))
        activations = [int(a) for a in rng.integers(0, 20_000, 30)]
        state = -(-8 * trained // page) * page
        least = base + 4 * trained + max(activations)
        budget = least + int(rng.integers(0, state // 2))
        yield one(label, "steps", base, trained, activations, budget, page)
    real = [int(4.2e6 * n) for n in (512, 512, 2048, 512)]
    yield one("65B on 45 GB", "steps", 33_531_875_000, 400_000_000, real, 45 * 10**9, 2**21)
    yield one("no steps", "edges", 100, 10, [], 5, 16)
    yield one("exactly full", "edges", 100, 10, [60], 100 + 40 + 80 + 60, 16)
    yield one("one byte over", "edges", 100, 10, [61], 100 + 40 + 80 + 60, 16)
    yield one("all pages out, exactly", "edges", 100, 10, [60], 200, 16)
    yield one("a last page that is not full", "edges", 100, 11, [50, 51], 294, 64)
    yield one("one large page", "edges", 100, 10, [0, 30], 1000, 900)
    yield one("nothing trained", "edges", 100, 0, [5, 9], 110, 16)
    yield one("a page of 1 byte", "edges", 100, 3, [10, 13], 140, 1)
    yield one("one byte too much", "refuse", 100, 10, [10, 61, 10], 200, 16, good=False)
    yield one("the base alone is too large", "refuse", 500, 1, [0], 400, 16, good=False)
    yield one("nothing trained, no room", "refuse", 100, 0, [5, 11], 110, 16, good=False)


def probe(solution, base, trained, activations, budget, page, good):
    if good:
        return solution(base, trained, activations, budget, page)
    try:
        solution(base, trained, activations, budget, page)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def judge(case, answer):
    if not case.good:
        expect.raised(
            answer, "MemoryError", "A step does not fit with every page out: raise MemoryError."
        )
        return
    answer = expect.mapping(answer, ("resident", "state", "pages_out", "moved", "peak"))
    resident = case.base + 2 * case.trained + 2 * case.trained
    pages = len(range(0, 8 * case.trained, case.page))
    expect.integer(answer["resident"], resident, "resident", hint="Base, adapters, gradients.")
    expect.integer(answer["state"], pages * case.page, "state", hint="8 bytes each, whole pages.")
    wanted, peak = [], 0
    for activations in case.activations:
        on_device, out = resident + pages * case.page + activations, 0
        if case.page < 2**20:
            while on_device > case.budget:
                on_device, out = on_device - case.page, out + 1
        elif on_device > case.budget:
            out = (on_device - case.budget + case.page - 1) // case.page
            on_device -= out * case.page
        wanted.append(out)
        peak = max(peak, on_device)
    got = answer["pages_out"]
    if isinstance(got, np.ndarray) and got.ndim == 1:
        got = got.tolist()
    if not isinstance(got, (list, tuple)):
        expect.wrong("type", "`pages_out` must be a list.", yours=expect.kind(got), right="a list")
    expect.that(
        len(got) == len(wanted),
        "`pages_out` has one entry for each step.",
        stage="shape",
        yours=f"{len(got)} entries",
        right=f"{len(wanted)} entries",
    )
    for step, (mine, right) in enumerate(zip(got, wanted, strict=True)):
        expect.integer(
            mine,
            right,
            f"pages_out[{step}]",
            hint=f"Activations of this step: {case.activations[step]:,} bytes; budget {case.budget:,}.",
        )
    expect.integer(answer["moved"], 2 * sum(wanted) * case.page, "moved", hint="Out and back.")
    expect.integer(answer["peak"], peak, "peak", hint="After the pages have left.")
