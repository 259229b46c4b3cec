"""codebook-bytes: bytes of packed codes, of the codebook, and of uniform storage; compression ratio."""

from math import ceil

from autograder.checks import case, expect

KEYS = ("codes_bytes", "codebook_bytes", "total_bytes", "uniform_bytes", "ratio")
PARTS = {"bytes": 0.7, "many codebooks": 0.3}
HINTS = (
    "Codes are packed without gaps: n * bits bits, rounded up to whole bytes once, at the end.",
    "A table of b-bit codes has 2**b entries, each of entry_bytes bytes.",
    "Uniform storage replaces each table by a single float32 scale of 4 bytes.",
)


def cases(rng):
    yield _case("one weight", 1, 4)
    yield _case("5 codes of 3 bits", 5, 3)
    yield _case("1,000 weights at 4 bits", 1000, 4)
    yield _case("table larger than its codes", 100, 8)
    yield _case("768 x 3072 weights at 2 bits", 768 * 3072, 2)
    n = int(rng.integers(10_001, 99_999)) | 1
    yield _case(f"{n:,} weights at 3 bits, float16 entries", n, 3, entry_bytes=2)
    part = "many codebooks"
    yield _case("one table per row", 768 * 3072, 4, 768, part=part)
    yield _case("one table per group of 64, float16", 4096 * 64, 3, 4096, 2, part)
    # 8 divides 3 * 8 * 42 * 5 bits and not those of a third plus one: rounding per group shows.
    yield _case("3 tables, ragged", 24 * int(rng.integers(42, 46)) + 3, 5, 3, 4, part)


def _case(label, n, bits, n_codebooks=1, entry_bytes=4, part="bytes"):
    return case(label, part, n=n, bits=bits, n_codebooks=n_codebooks, entry_bytes=entry_bytes)


def probe(solution, n, bits, n_codebooks, entry_bytes):
    return solution(n, bits, n_codebooks, entry_bytes)


def judge(case, answer):
    answer = expect.mapping(answer, KEYS)
    codes = ceil(case.n * case.bits / 8)
    table = case.n_codebooks * 2**case.bits * case.entry_bytes
    expect.integer(answer["codes_bytes"], codes, "codes_bytes", hint=HINTS[0])
    expect.integer(answer["codebook_bytes"], table, "codebook_bytes", hint=HINTS[1])
    expect.integer(answer["total_bytes"], codes + table, "total_bytes")
    uniform = codes + 4 * case.n_codebooks
    expect.integer(answer["uniform_bytes"], uniform, "uniform_bytes", hint=HINTS[2])
    expect.number(
        answer["ratio"],
        4 * case.n / (codes + table),
        "ratio",
        hint="float32 bytes of the weights over total_bytes; above 1 where storage shrinks.",
    )
