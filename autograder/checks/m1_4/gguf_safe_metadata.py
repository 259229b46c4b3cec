"""gguf-safe-metadata: key-values of valid files, and of malformed ones."""

import struct

from autograder.checks import case, expect
from autograder.checks.oracles import gguf_hostile, gguf_judge, gguf_reader, gguf_valid
from autograder.checks.oracles.gguf_build import ARRAY, STRING, UINT32, Draft, chunks

PARTS = {"key-values": 0.3, "counts and cuts": 0.2, "keys": 0.15, "values": 0.15, "alignment": 0.2}
HINTS = (
    "The count first: take(data, at, count, 13, 'kv_count').",
    "safe_text reads a key and knows the keys that are there.",
    "general.alignment: its type, then its four bytes, then its value.",
)

BANK_SEEDS = 1
AT_ONCE = 15


def cases(rng):
    files = []
    for types, alignment in (([], 32), ([4], 32), (list(range(13)), 64), ([9, 8, 9], 8)):
        draft, _ = gguf_valid.draft(rng, types, 1, alignment)
        files.append((draft.bytes(), 24, len(draft.metadata)))
    for value in (8, 32, 4096, 65_536):
        draft = Draft((("a", 7, True), ("general.alignment", UINT32, value)))
        files.append((draft.bytes(), 24, 2))
    for key in (
        "k" * 65_535,
        "größe",
        "general.alignment.x",
        "General.Alignment",
        "alignment",
        " a key/with-ü: \n",
    ):
        files.append((_table(Draft(((key, STRING, "32"), ("z", ARRAY, (0, []))))), 24, 2))
    body = b"\xff" * 5 + _table(Draft((("x", 0, 5),)))[24:] + b"more"
    files.append((body, 5, 1))
    files.append((b"ab", 2, 0))
    many = tuple((f"k{i}", 0, i) for i in range(200))
    files.append((_table(Draft(many)), 24, 200))
    yield case("valid files", "key-values", files=files)

    draft = gguf_hostile.base(rng)
    hostile = [bad for bad in gguf_hostile.files(draft) if len(bad.data) >= 24]
    families = {
        "counts and cuts": lambda bad: bad.family == "truncated" or bad.fields[0] == "kv_count",
        "keys": lambda bad: bad.fields == ("key",) or "value_type" in bad.fields,
        "values": lambda bad: bad.fields == ("value",),
        "alignment": lambda bad: bad.fields == ("alignment",),
    }
    for part, test in families.items():
        chosen = [bad for bad in hostile if test(bad) and _early(bad)]
        tried = [((bad.data, 24, _count(bad.data)), bad.name, bad.fields) for bad in chosen]
        if part == "alignment":
            cut = _table(Draft((("general.alignment", UINT32, 32),)))[:-2]
            tried.append(((cut, 24, 1), "an alignment that is cut off", ("alignment",)))
            twice = _table(Draft((("general.alignment", UINT32, 32),) * 2))
            tried.append(((twice, 24, 2), "two alignments", ("key",)))
        if part == "counts and cuts":
            short = _table(Draft((("a", 0, 1),))) + bytes(12)  # 26 bytes from the first key on
            tried.append(((short, 24, 3), "39 bytes of key-values in 26", ("kv_count",)))
        for i in range(0, len(tried), AT_ONCE):
            some = tried[i : i + AT_ONCE]
            made = case(part, part, files=[file for file, _, _ in some])
            # Stays here: only what is in the inputs goes to the learner's kernel.
            made.hostile = [(name, fields) for _, name, fields in some]
            yield made


def _table(draft):
    """The file up to the end of its key-values."""
    return b"".join(p.data for p in chunks(draft) if p.field != "padding")


def _count(data):
    return struct.unpack_from("<Q", data, 16)[0]


def _early(bad):
    """Whether the fault lies in the key-values, which this function reads, or in their count."""
    try:
        gguf_reader.read_metadata(bad.data, 24, _count(bad.data))
    except gguf_reader.GGUFError as error:
        return error.field in bad.fields
    return False


def probe(solution, files):
    from lab.bounded import bounded_call

    answers = []
    for i, (data, at, count) in enumerate(files):
        given = memoryview(data) if i % 2 else data
        found = bounded_call(lambda: solution(given, at, count), of=solution)  # noqa: B023
        # Times and exact sizes differ from run to run; the verdict on them does not.
        found["heavy"] = found.pop("peak_bytes") > 2**20 + 64 * len(data)
        del found["seconds"]
        answers.append(found)
    return answers


def judge(case, answer):
    for i, ((data, at, count), got) in enumerate(zip(case.files, answer, strict=True)):
        if case.part == "key-values":
            name = f"Key-values {i + 1} ({count} of them)"
            value = gguf_judge.returned(got, f"{name} must be read.")
            metadata, end = expect.sequence(value, ("metadata", "end"))
            want = gguf_reader.read_metadata(data, at, count)
            gguf_judge.same(metadata, want[0], "metadata")
            gguf_judge.same(list(metadata), list(want[0]), "list(metadata)")
            expect.integer(end, want[1], "end")
        else:
            name, fields = case.hostile[i]
            gguf_judge.named(got, fields, name.capitalize())
        expect.that(not got["heavy"], f"{name} took too much memory.",
                    yours="over 1 MiB and 64 bytes for each byte of the file", right="less")  # fmt: skip
