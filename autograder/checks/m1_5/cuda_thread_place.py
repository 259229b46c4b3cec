"""cuda-thread-place: the threads of a block counted one by one, x fastest."""

from autograder.checks import case, expect

PARTS = {"one dimension": 0.2, "more dimensions": 0.6, "refuse": 0.2}
HINTS = (
    "rank = tx + bx * (ty + by * tz).",
    "warp = rank // 32, lane = rank % 32.",
)


def cases(rng):
    for x in (0, 31, 32, 255, int(rng.integers(33, 255))):
        yield case(f"thread {x} of 256", part="one dimension", thread=(x, 0, 0), block=(256, 1, 1))
    blocks = [(16, 16, 1), (8, 8, 1), (4, 8, 8), (3, 5, 7), (1, 1, 64), (1, 1024, 1), (33, 2, 3)]
    for block in blocks:
        for _ in range(3):
            thread = tuple(int(rng.integers(0, b)) for b in block)
            yield case(f"{thread} of {block}", part="more dimensions", thread=thread, block=block)
        last = tuple(b - 1 for b in block)
        yield case(f"{last} of {block}", part="more dimensions", thread=last, block=block)
    bad = [
        ((16, 0, 0), (16, 4, 1)),
        ((0, 4, 0), (16, 4, 1)),
        ((0, 0, -1), (16, 4, 1)),
        ((-1, 0, 0), (16, 4, 1)),
        ((0, -1, 0), (16, 4, 1)),
        ((0, 0, 2), (16, 4, 2)),
        ((0, 0, 0), (1025, 1, 1)),
        ((0, 0, 0), (32, 33, 1)),
        ((0, 0, 0), (16, 0, 1)),
    ]
    for thread, block in bad:
        yield case(f"{thread} of {block}", part="refuse", thread=thread, block=block, good=False)


def probe(solution, thread, block, good=True):
    return solution(thread, block) if good else refusal(lambda: solution(thread, block))  # noqa: F821


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"Raise ValueError for thread {case.label}.")
        return
    rank, warp, lane = expect.sequence(answer, ("rank", "warp", "lane"))
    bx, by, bz = case.block
    order = [(x, y, z) for z in range(bz) for y in range(by) for x in range(bx)]
    want = order.index(case.thread)
    expect.integer(rank, want, "rank")
    expect.integer(warp, want // 32, "warp")
    expect.integer(lane, want % 32, "lane")
