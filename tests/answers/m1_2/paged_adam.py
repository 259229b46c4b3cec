"""Answers to paged-adam."""

import math

from autograder.checks.bank import right, wrong


def _run(
    base, trained, activations, budget, page,
    weights=4, state_each=8, ways=2, up=lambda a, b: -(-a // b), limit=0, refuse=True,
):  # fmt: skip
    resident = base + weights * trained
    pages = up(state_each * trained, page)
    out, peak = [], 0
    for a in activations:
        needed = resident + pages * page + a
        leave = max(0, up(needed - budget + limit, page))
        if leave > pages and refuse:
            raise MemoryError("does not fit")
        leave = min(leave, pages)
        out.append(leave)
        peak = max(peak, needed - leave * page)
    return {
        "resident": resident,
        "state": pages * page,
        "pages_out": out,
        "moved": ways * sum(out) * page,
        "peak": peak,
    }


@right("ceiling division")
def by_division(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)


@right("what is left for the state decides")
def by_room(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    resident = base_bytes + 4 * trained
    pages = (8 * trained + page_bytes - 1) // page_bytes
    stay = []
    for activations in activation_bytes:
        room = budget_bytes - resident - activations
        if room < 0:
            raise MemoryError(f"{-room} bytes too many")
        stay.append(min(pages, room // page_bytes))
    out = [pages - s for s in stay]
    return {
        "resident": resident,
        "state": pages * page_bytes,
        "pages_out": tuple(out),
        "moved": sum(out) * page_bytes * 2,
        "peak": max(
            (resident + s * page_bytes + a for s, a in zip(stay, activation_bytes, strict=True)),
            default=0,
        ),
    }


@right("bisection over the number of pages")
def by_bisection(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    resident = base_bytes + 2 * trained + 2 * trained
    pages = math.ceil(8 * trained / page_bytes)
    out, peaks = [], [0]
    for activations in activation_bytes:
        low, high = 0, pages
        while low < high:
            middle = (low + high) // 2
            if resident + activations + (pages - middle) * page_bytes <= budget_bytes:
                high = middle
            else:
                low = middle + 1
        on_device = resident + activations + (pages - low) * page_bytes
        if on_device > budget_bytes:
            raise MemoryError
        out.append(low)
        peaks.append(on_device)
    moved = sum(page_bytes * 2 * n for n in out)
    return dict(
        resident=resident, state=pages * page_bytes, pages_out=out, moved=moved, peak=max(peaks)
    )


@wrong("one-way-traffic", "You counted the way out only; every page comes back for the update.")
def one_way(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, ways=1)


@wrong("one-moment", "You counted one moment of Adam, 4 bytes; there are two, 8 bytes.")
def one_moment(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, state_each=4)


@wrong("master-weights", "You added float32 master weights to the state; this model has none.")
def master(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, state_each=12)


@wrong("gradients-forgotten", "You forgot the gradients, 2 bytes for each trained parameter.")
def no_gradients(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, weights=2)


@wrong(
    "adapters-forgotten", "You forgot adapters and gradients: 4 bytes for each trained parameter."
)
def no_adapters(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, weights=0)


@wrong("float32-weights", "You counted float32 weights and gradients; they have 2 bytes each.")
def wide(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, weights=8)


@wrong("rounded-down", "You rounded the pages down: then the step does not fit.")
def down(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    resident, state = answer["resident"], answer["state"]
    out = [max(0, resident + state + a - budget_bytes) // page_bytes for a in activation_bytes]
    peaks = [
        resident + state + a - n * page_bytes for a, n in zip(activation_bytes, out, strict=True)
    ]
    return {
        **answer,
        "pages_out": out,
        "moved": 2 * page_bytes * sum(out),
        "peak": max(peaks, default=0),
    }


@wrong("one-page-too-many", "You send out a page where the step fits exactly; exactly full fits.")
def strict(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, limit=1)


@wrong("all-or-nothing", "You send out the whole state; only as many pages leave as must.")
def whole(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    pages = answer["state"] // page_bytes
    out = [pages if n else 0 for n in answer["pages_out"]]
    resident = answer["resident"] + answer["state"]
    peaks = [resident + a - n * page_bytes for a, n in zip(activation_bytes, out, strict=True)]
    moved = 2 * page_bytes * sum(out)
    return {**answer, "pages_out": out, "moved": moved, "peak": max(peaks, default=0)}


@wrong(
    "pages-stay-away",
    "Your pages stay on the host after a spike; they come back in every step, for the update.",
)
def stay_away(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    out, away = [], 0
    for n in answer["pages_out"]:
        out.append(max(0, n - away))
        away = max(away, n)
    return {**answer, "pages_out": out, "moved": 2 * page_bytes * sum(out)}


@wrong(
    "state-not-in-pages", "You counted the state's bytes, not its pages; whole pages are reserved."
)
def unpaged(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    return {**answer, "state": 8 * trained}


@wrong(
    "bytes-instead-of-pages",
    "You move the excess bytes; pages move as wholes: moved is a multiple of page_bytes.",
)
def excess_bytes(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    needed = answer["resident"] + answer["state"]
    return {**answer, "moved": 2 * sum(max(0, needed + a - budget_bytes) for a in activation_bytes)}


@wrong("peak-before-paging", "Your peak is that before pages leave; it may exceed the budget.")
def early_peak(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    needed = answer["resident"] + answer["state"]
    return {**answer, "peak": max((needed + a for a in activation_bytes), default=0)}


@wrong("peak-is-the-budget", "Your peak is the budget; steps may stay below it.")
def full_peak(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return {
        **_run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes),
        "peak": budget_bytes,
    }


@wrong("only-the-longest-step", "You looked at the longest step only; each one has its own pages.")
def longest(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    most = max(answer["pages_out"], default=0)
    out = [most] * len(activation_bytes)
    return {**answer, "pages_out": out, "moved": 2 * page_bytes * sum(out)}


@wrong(
    "adapters-paged-too",
    "You let adapters and gradients leave as well; the backward pass needs them.",
)
def all_paged(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(
        base_bytes, trained, activation_bytes, budget_bytes, page_bytes, weights=0, state_each=12
    )


@wrong(
    "no-memory-error",
    "You go on where a step does not fit with every page out; raise MemoryError.",
)
def goes_on(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    return _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes, refuse=False)


@wrong("negative-pages", "Where there is room to spare you report a negative number of pages.")
def negative(base_bytes, trained, activation_bytes, budget_bytes, page_bytes=2**21):
    answer = _run(base_bytes, trained, activation_bytes, budget_bytes, page_bytes)
    needed = answer["resident"] + answer["state"]
    out = [-(-(needed + a - budget_bytes) // page_bytes) for a in activation_bytes]
    return {**answer, "pages_out": out, "moved": 2 * page_bytes * sum(out)}
