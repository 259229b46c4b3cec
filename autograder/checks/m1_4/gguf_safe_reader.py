"""gguf-safe-reader: valid files read, malformed and mutated ones refused, in bounded memory and time."""

from autograder.checks import case, expect
from autograder.checks.oracles import gguf_fuzz, gguf_hostile, gguf_judge, gguf_reader, gguf_valid
from autograder.checks.oracles.gguf_build import FIELDS, STRING, Draft, Tensor, chunks, replaced

PARTS = {
    "valid files": 0.2,
    "cut short": 0.15,
    "counts and lengths": 0.15,
    "entries": 0.15,
    "layout": 0.15,
    "mutated files": 0.2,
}
HINTS = (
    "Test each count as soon as the bytes left are known, before the loop.",
    "Reuse take, safe_value, tensor_bytes and check_layout: each field is then named once.",
    "A key or a name is read into a dict: look for it there first.",
)
FAMILIES = {
    "truncated": "cut short", "header": "counts and lengths", "lengths": "counts and lengths",
    "types": "entries", "texts": "entries", "values": "entries", "alignments": "entries",
    "dimensions": "layout", "offsets": "layout",
}  # fmt: skip
# Six hundred files a run: the bank is tried on the public cases alone.
BANK_SEEDS = 1
MUTATED, AT_ONCE = 200, 20
# Half of these suffice: they differ in their place alone.
HALVED = {"truncated", "lengths"}


def cases(rng):
    yield case("valid files", "valid files", files=_valid(rng))
    hostile = gguf_hostile.files(gguf_hostile.base(rng))
    for family, part in FAMILIES.items():
        chosen = [found for found in hostile if found.family == family]
        if family in HALVED:
            half = set(rng.permutation(len(chosen))[: len(chosen) // 2].tolist())
            # Names and keys at the limits of their length are never left out.
            chosen = [f for i, f in enumerate(chosen) if i in half or f.name.startswith("a ")]
        for i in range(0, len(chosen), AT_ONCE):
            some = chosen[i : i + AT_ONCE]
            made = case(family, part, files=[found.data for found in some])
            # Stays here: only what is in the inputs goes to the learner's kernel.
            made.hostile = some
            yield made
    pool = gguf_fuzz.seeds(rng)
    for _ in range(MUTATED // AT_ONCE):
        mutated = []
        for _ in range(AT_ONCE):
            one, two = (pool[i] for i in rng.integers(len(pool), size=2))
            mutated.append(gguf_fuzz.mutate(one, rng, two))
        yield case("files with random changes", "mutated files", files=mutated)


def _valid(rng):
    """Every value type, alignments, versions, gaps, nothing at all, and a file without its padding."""
    drafts = [Draft(), Draft(version=2), gguf_hostile.base(rng)]
    for types, tensors, alignment in ((list(range(13)), 3, 32), ([9, 9, 9], 0, 32), ([8], 5, 64),
                                      ([], 1, 32), ([4, 8], 2, 8), ([0] * 40, 2, 4096)):  # fmt: skip
        drafts.append(gguf_valid.draft(rng, types, tensors, alignment)[0])
    blocks = tuple(Tensor(f"t{kind}", (block, 2), kind, rng.bytes(2 * size))
                   for kind, (block, size) in gguf_reader.BLOCKS.items())  # fmt: skip
    drafts.append(Draft(tensors=blocks))
    four = Tensor("n" * 64, (2, 1, 3, 1), 0, rng.bytes(24))
    one = Tensor("é" * 32, (), 0, rng.bytes(4))
    drafts.append(Draft((("k" * 65_535, STRING, ""), ("e", 9, (8, ["", ""]))), (four, one)))
    drafts.append(Draft((("flat", 9, (9, [(9, [(9, [(4, [1])])])])),), (one,), offsets={0: 96}))
    found = [draft.bytes() for draft in drafts[:-1]]
    found.append(drafts[-1].bytes() + bytes(96))
    found.append(found[2] + rng.bytes(11))
    found.append(Draft((("k", 4, 1),)).bytes()[: 24 + 8 + 1 + 4 + 4])
    tight = Draft(tensors=(four,)).bytes()
    found.append(tight[: len(tight) - 8])
    empty = Draft((("a", 9, (8, ["", ""])), ("b", 9, (9, [(4, []), (8, [])]))))
    found.append(b"".join(p.data for p in chunks(empty) if p.label != "padding"))
    dirty = Draft((("k", 4, 1),), (one,))
    found.append(replaced(dirty, "padding", b"\xaa" * (-_table_end(dirty) % 32)))
    return found


def _table_end(draft):
    parts = chunks(draft)
    return sum(len(p.data) for p in parts[: [p.label for p in parts].index("padding")])


def probe(solution, files):
    from lab.bounded import bounded_call

    answers = []
    for i, data in enumerate(files):
        given = memoryview(data) if i % 2 else data
        found = bounded_call(lambda: solution(given), of=solution)  # noqa: B023
        # Times and exact sizes differ from run to run; the verdict on them does not.
        found["heavy"] = found.pop("peak_bytes") > 2**20 + 64 * len(data)
        del found["seconds"]
        answers.append(found)
    return answers


def judge(case, answer):
    for i, (data, got) in enumerate(zip(case.files, answer, strict=True)):
        if case.part == "valid files":
            _accepted(data, got, f"Valid file {i + 1} ({len(data)} bytes)")
        elif case.part == "mutated files":
            _as_ours(data, got, f"Changed file {i + 1}")
        else:
            found = case.hostile[i]
            gguf_judge.named(got, found.fields, found.name.capitalize())
        expect.that(not got["heavy"], f"File {i + 1} took too much memory.",
                    yours="over 1 MiB and 64 bytes for each byte of the file", right="less")  # fmt: skip


def _accepted(data, got, name):
    value = gguf_judge.returned(got, f"{name}: it must be read.")
    gguf_judge.contents(value, gguf_reader.read_gguf(data))


def _as_ours(data, got, name):
    """Read as the reference reads it, or refused with any field: a random file breaks many rules."""
    try:
        gguf_reader.read_gguf(data)
    except gguf_reader.GGUFError as error:
        gguf_judge.named(got, FIELDS, f"{name} ({error})")
        return
    _accepted(data, got, name)
