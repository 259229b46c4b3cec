"""Answers to event-records."""

import struct
import zlib

from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c, masked_crc32c

from autograder.checks.bank import right, wrong
from lab.event_runs import CorruptRecord


def _read(data, order="<", total=masked_crc32c, head=True, body=True, raise_at=None, summed=None):
    """The loop, with one thing at a time done otherwise."""
    records, at = [], 0
    while len(data) - at >= 12:
        length, head_sum = struct.unpack_from(f"{order}QI", data, at)
        if head and total(data[at : at + 8]) != head_sum:
            raise CorruptRecord(raise_at(at, records) if raise_at else at)
        end = at + 12 + length
        if end + 4 > len(data):
            break
        payload = data[at + 12 : end]
        (body_sum,) = struct.unpack_from(f"{order}I", data, end)
        if body and total(summed(data, at, end) if summed else payload) != body_sum:
            raise CorruptRecord(raise_at(at, records) if raise_at else at)
        records.append(payload)
        at = end + 4
    return records, at


@right("a loop with struct")
def loop(data):
    return _read(data)


@right("a recursive reader over memory slices")
def slices(data):
    found, view, at = [], memoryview(data), 0
    while True:
        head = bytes(view[at : at + 12])
        if len(head) < 12:
            return found, at
        if masked_crc32c(head[:8]) != int.from_bytes(head[8:], "little"):
            raise CorruptRecord(at)
        n = int.from_bytes(head[:8], "little")
        rest = view[at + 12 : at + 16 + n]
        if len(rest) < n + 4:
            return found, at
        if masked_crc32c(bytes(rest[:n])) != int.from_bytes(rest[n:], "little"):
            raise CorruptRecord(at)
        found.append(bytes(rest[:n]))
        at += n + 16


@right("the mask computed by hand")
def own_mask(data):
    def total(part):
        crc = crc32c(part)
        return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF

    return _read(data, total=total)


@wrong("sum-not-masked", "The sums are masked: take masked_crc32c, not the plain CRC.")
def plain_sum(data):
    return _read(data, total=crc32c)


@wrong("another-crc", "CRC-32C has another polynomial than zlib's CRC-32.")
def zlib_sum(data):
    return _read(data, total=zlib.crc32)


@wrong("big-endian", "Lengths and sums are little-endian.")
def big(data):
    return _read(data, order=">")


@wrong("length-believed", "Check the length's own sum before you believe the length.")
def no_head(data):
    return _read(data, head=False)


@wrong("data-not-checked", "Check the sum of the data too.")
def no_body(data):
    return _read(data, body=False)


@wrong("nothing-checked", "A sum that does not fit must raise CorruptRecord.")
def none(data):
    return _read(data, head=False, body=False)


@wrong("sum-over-header-too", "The second sum is of the data alone, without the header.")
def header_too(data):
    return _read(data, summed=lambda d, at, end: d[at:end])


@wrong("cut-is-corrupt", "A record cut at the end of the file is normal: return what is whole.")
def cut_raises(data):
    records, end = _read(data)
    if end != len(data):
        raise CorruptRecord(end)
    return records, end


@wrong(
    "corrupt-is-the-end", "A sum that does not fit is not the end of the file: raise CorruptRecord."
)
def stops(data):
    for size in range(len(data), -1, -1):
        try:
            return _read(data[:size])
        except CorruptRecord as error:
            return _read(data[: error.offset])
    return [], 0


@wrong("offset-is-a-number", "The offset counts bytes, not records.")
def number(data):
    return _read(data, raise_at=lambda at, records: len(records))


@wrong(
    "offset-of-the-data", "The offset is where the record begins, with its length, not its data."
)
def data_offset(data):
    return _read(data, raise_at=lambda at, records: at + 12)


@wrong(
    "end-of-file-returned", "The second value is where the next record begins, not the file's size."
)
def size(data):
    return _read(data)[0], len(data)


@wrong("part-returned", "A cut record is not returned.")
def part(data):
    records, end = _read(data)
    return records + ([data[end + 12 :]] if len(data) > end + 12 else []), end


@wrong("empty-skipped", "A record without data is a record.")
def skipped(data):
    records, end = _read(data)
    return [r for r in records if r], end


@wrong("last-sum-not-needed", "The record is whole only with the four bytes of its last sum.")
def early(data):
    records, end = _read(data)
    if len(data) - end >= 12:
        (length,) = struct.unpack_from("<Q", data, end)
        if end + 12 + length <= len(data):
            return [*records, data[end + 12 : end + 12 + length]], len(data)
    return records, end


@wrong("header-checked-late", "The length's sum is checked as soon as its 12 bytes are there.")
def late(data):
    records, at = [], 0
    while len(data) - at >= 12:
        length, head_sum = struct.unpack_from("<QI", data, at)
        end = at + 12 + length
        if end + 4 > len(data):
            break
        payload = data[at + 12 : end]
        good = masked_crc32c(data[at : at + 8]) == head_sum
        if not good or masked_crc32c(payload) != struct.unpack_from("<I", data, end)[0]:
            raise CorruptRecord(at)
        records.append(payload)
        at = end + 4
    return records, at


@wrong("framed-records", "Return the data alone, without lengths and sums.")
def framed(data):
    records, end = _read(data)
    found, at = [], 0
    for record in records:
        found.append(data[at : at + len(record) + 16])
        at += len(record) + 16
    return found, end


@wrong("two-byte-length", "The length has eight bytes; do not cut it.")
def short_length(data):
    records, end = _read(data)
    return [r[: len(r) & 0xFF] for r in records], end
