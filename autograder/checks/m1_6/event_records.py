"""event-records: files framed here from drawn payloads, whole, cut and damaged, read back."""

import struct

from autograder.checks import case, expect
from lab.event_runs import frame

PARTS = {"whole files": 0.4, "cut files": 0.3, "damaged files": 0.3}
HINTS = (
    'struct.unpack_from("<QI", data, at): the length and the masked sum of its eight bytes.',
    "Return when fewer than 12 bytes are left, or fewer than 12 + n + 4.",
    "CorruptRecord(at): `at` is where the record begins; check the header's sum before you use n.",
)


def _payloads(rng, count, most=60):
    return [rng.bytes(int(rng.integers(1, most))) for _ in range(count)]


def cases(rng):
    yield _case("one record", "whole files", [b"scalar"])
    yield _case("three records", "whole files", _payloads(rng, 3))
    yield _case("an empty record in the middle", "whole files", [b"one", b"", b"three"])
    yield _case("a record longer than 255 bytes", "whole files", [rng.bytes(700), b"next"])
    yield _case("many records", "whole files", _payloads(rng, 25))
    yield _written()
    yield _case("no bytes", "cut files", [])
    for label, keep in (
        ("in its length", int(rng.integers(1, 8))),
        ("in the length's sum", int(rng.integers(8, 12))),
        ("behind its header", 12),
        ("in its data", 12 + int(rng.integers(1, 29))),
        ("before the last sum", 12 + 30),
        ("in the last sum", 12 + 30 + int(rng.integers(1, 4))),
    ):
        yield _case(f"cut {label}", "cut files", _payloads(rng, 2), frame(rng.bytes(30))[:keep])
    yield _case("cut in the first record", "cut files", [], frame(b"first")[:9])
    yield _case("a long length, its sum right", "cut files", _payloads(rng, 1),
                frame(bytes(70_000))[:40])  # fmt: skip
    yield _case("cut, zeros in its data", "cut files", _payloads(rng, 1), frame(bytes(40))[:30])
    for index in (0, 2, 4):
        for label, at in (
            ("length", 0),
            ("length's sum", 9),
            ("data", 15),
            ("data's sum", 12 + 20),
        ):
            yield _damaged(rng, label, index, at)
    payloads = _payloads(rng, 2)
    head = bytearray(frame(bytes(50))[:12])
    head[1] ^= 0x40
    yield _bad("a cut record whose length is wrong", payloads, bytes(head))
    yield _bad("a wrong length far beyond the file", payloads,
               struct.pack("<QI", 2**62, 12345) + bytes(10))  # fmt: skip


def _written():
    """A file by the library's own writer."""
    import tempfile
    from pathlib import Path

    from tensorboard.compat.tensorflow_stub.io import gfile
    from tensorboard.summary.writer.record_writer import RecordWriter

    payloads = [b"brain.Event:2", bytes(range(200)), b"\xff" * 5]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        with gfile.GFile(str(path), "wb") as opened:
            writer = RecordWriter(opened)
            for payload in payloads:
                writer.write(payload)
            writer.flush()
        data = path.read_bytes()
    made = case("by TensorBoard's writer", "whole files", data=data)
    made.want = (payloads, len(data))
    return made


def _case(label, part, payloads, tail=b""):
    whole = b"".join(map(frame, payloads))
    made = case(label, part, data=whole + tail)
    made.want = (payloads, len(whole))  # the judge's: the probe gets the bytes alone
    return made


def _damaged(rng, label, index, at):
    frames = [bytearray(frame(rng.bytes(20))) for _ in range(5)]
    frames[index][at] ^= 1 << int(rng.integers(8))
    made = case(f"{label} of record {index} damaged", "damaged files", data=b"".join(frames))
    made.offset = sum(map(len, frames[:index]))
    return made


def _bad(label, payloads, tail):
    whole = b"".join(map(frame, payloads))
    made = case(label, "damaged files", data=whole + tail)
    made.offset = len(whole)
    return made


def probe(solution, data):
    try:
        return {"value": solution(data)}
    except NotImplementedError:
        raise
    except Exception as error:
        offset = getattr(error, "offset", None)
        return {"raised": type(error).__name__, "offset": offset, "message": str(error)[:300]}


def judge(case, answer):
    expect.mapping(answer, ())
    if case.part == "damaged files":
        expect.raised(answer, "CorruptRecord", "A sum does not fit: raise CorruptRecord.")
        expect.integer(answer.get("offset"), case.offset, "offset")
        return
    if "raised" in answer:
        expect.wrong(
            "error",
            "These bytes are in order, perhaps cut at the end: raise nothing.",
            yours=f"{answer['raised']}: {answer.get('message', '')}",
            right="the whole records",
        )
    records, end = expect.sequence(answer["value"], ("records", "end"))
    want, want_end = case.want
    expect.that(
        isinstance(records, (list, tuple)), "The records come in a list.", stage="type",
        yours=expect.kind(records), right="a list of bytes",
    )  # fmt: skip
    expect.that(
        len(records) == len(want),
        "The number of records is off.",
        yours=len(records),
        right=len(want),
    )
    for i, (got, right) in enumerate(zip(records, want, strict=True)):
        expect.that(
            isinstance(got, bytes), "A record is bytes.", stage="type", yours=expect.kind(got)
        )
        expect.that(got == right, f"Record {i} is off.", yours=got[:30], right=right[:30])
    expect.integer(end, want_end, "the number of bytes read")
