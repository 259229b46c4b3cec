"""Malformed GGUF files: all refused with the field's name, in bounded memory; and the fuzzer itself."""

import struct
import tracemalloc

import gguf
import numpy as np
import pytest

from autograder.checks.oracles import gguf_fuzz, gguf_hostile, gguf_reader, gguf_valid
from autograder.checks.oracles.gguf_build import FIELDS


def _files(seed):
    return gguf_hostile.files(gguf_hostile.base(np.random.default_rng(seed)))


def test_the_files_are_many_distinct_and_always_the_same():
    one, again = _files(3), _files(3)
    assert [f.data for f in one] == [f.data for f in again]
    assert len({f.name for f in one}) == len(one) >= 200
    assert len({f.data for f in one}) >= 200
    assert all(set(f.fields) <= set(FIELDS) for f in one)
    named = {field for f in one for field in f.fields if f.fields != FIELDS}
    assert named == set(FIELDS)


@pytest.mark.parametrize("seed", range(6))
def test_every_file_is_refused_by_its_field(seed):
    gguf_reader.read_gguf(gguf_hostile.base(np.random.default_rng(seed)).bytes())
    for bad in _files(seed):
        with pytest.raises(gguf_reader.GGUFError) as refusal:
            gguf_reader.read_gguf(bad.data)
        assert refusal.value.field in bad.fields, f"{bad.name}: {refusal.value}"


def test_a_good_file_is_cut_everywhere():
    """Each length of the file below the last byte of its data is refused, not only the boundaries."""
    draft = gguf_hostile.base(np.random.default_rng(0))
    data = draft.bytes()
    last = len(data) - -len(draft.tensors[-1].data) % draft.alignment
    for size in range(last):
        with pytest.raises(gguf_reader.GGUFError):
            gguf_reader.read_gguf(data[:size])
    for size in range(last, len(data) + 1):
        gguf_reader.read_gguf(data[:size])


def test_memory_stays_in_proportion():
    files = _files(1)
    tracemalloc.start()
    try:
        for bad in files:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            with pytest.raises(gguf_reader.GGUFError):
                gguf_reader.read_gguf(bad.data)
            peak = tracemalloc.get_traced_memory()[1] - before
            assert peak <= gguf_fuzz.most_bytes(len(bad.data)), bad.name
    finally:
        tracemalloc.stop()


def test_two_seconds_of_fuzzing_find_nothing():
    report = gguf_fuzz.fuzz(2.0, seed=7)
    assert report.executions > 200 and report.accepted and report.refused.total()
    assert not report.crashes, report.crashes[:2]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda data: data[2**40], "IndexError"),
        (lambda data: bytearray(64 * len(data) + 2**21) and {}, "memory"),
        (lambda data: {"tensors": {"t": {"shape": (9,) * 4, "type": 0, "offset": 0}}, "data_offset": 0},
         "AssertionError"),
    ],
)  # fmt: skip
def test_the_fuzzer_sees_a_reader_that_crashes_or_takes_memory_or_accepts(fault, said):
    def reader(data):
        found = gguf_reader.read_gguf(data)
        return fault(data) or found

    report = gguf_fuzz.fuzz(5.0, seed=1, reader=reader, most=40)
    assert report.crashes and any(said in crash for crash in report.crashes)


@pytest.mark.parametrize(
    ("dims", "kind", "field"),
    [((2**61,), 0, "dims"), ((2**32, 2**32), 0, "dims"), ((2**60, 16), 8, "dims"), ((1,) * 5, 0, "n_dims"),
     ((63,), 8, "dims"), ((4, 0), 0, "dims"), ((4,), 5, "type")],
)  # fmt: skip
def test_bytes_of_a_tensor_do_not_wrap(dims, kind, field):
    with pytest.raises(gguf_reader.GGUFError) as refusal:
        gguf_reader.tensor_bytes(dims, kind)
    assert refusal.value.field == field


def test_bytes_of_a_tensor():
    assert gguf_reader.tensor_bytes((2**61 - 1,), 0) == 2**63 - 4
    assert gguf_reader.tensor_bytes((64, 3), 8) == 204
    assert gguf_reader.tensor_bytes((), 0) == 4


def test_value_types_are_those_of_the_package(tmp_path):
    path = tmp_path / "all.gguf"
    path.write_bytes(gguf_valid.draft(np.random.default_rng(2), [*range(13), 9, 9], 2)[0].bytes())
    fields = gguf.GGUFReader(path).fields
    package = {k: [int(t) for t in f.types[:2]] for k, f in fields.items() if k[:5] != "GGUF."}
    found = gguf_reader.value_types(path.read_bytes())
    assert found == package and len(found) == 15


def test_value_types_of_a_long_array_take_little_memory():
    many = 10**6  # the package's reader makes an array of each element: over 600 MB here
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    data += struct.pack("<Q1sIIQ", 1, b"k", 9, 0, many) + bytes(many)
    tracemalloc.start()
    assert gguf_reader.value_types(data) == {"k": [9, 0]}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20
