"""Answers to codebook-bytes."""

import math

import numpy as np

from autograder.checks.bank import right, wrong


def _report(n, codes, table, uniform, ratio=None, total=None):
    total = codes + table if total is None else total
    return {
        "codes_bytes": codes,
        "codebook_bytes": table,
        "total_bytes": total,
        "uniform_bytes": uniform,
        "ratio": 4 * n / total if ratio is None else ratio,
    }


@right("integer arithmetic")
def by_integers(n, bits, n_codebooks=1, entry_bytes=4):
    codes = (n * bits + 7) // 8
    return _report(n, codes, n_codebooks * entry_bytes << bits, codes + 4 * n_codebooks)


@right("the sizes of real arrays")
def by_arrays(n, bits, n_codebooks=1, entry_bytes=4):
    codes = np.packbits(np.zeros(n * bits, bool)).nbytes
    entry = {2: np.float16, 4: np.float32}[entry_bytes]
    table = np.zeros((n_codebooks, 2**bits), entry).nbytes
    scales = np.zeros(n_codebooks, np.float32).nbytes
    ratio = np.float32(32 * n) / np.float32(8 * (codes + table))
    return _report(n, codes, table, codes + scales, ratio)


@wrong(
    "codebook-forgotten", "Your total leaves the codebook out: whoever reads codes needs the table."
)
def codebook_forgotten(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * 2**bits * entry_bytes
    return _report(n, codes, table, codes + 4 * n_codebooks, total=codes)


@wrong("unpacked", "You count one byte per code; packed codes take `bits` bits each.")
def unpacked(n, bits, n_codebooks=1, entry_bytes=4):
    return _report(n, n, n_codebooks * 2**bits * entry_bytes, n + 4 * n_codebooks)


@wrong("floor-bytes", "You round the codes down to whole bytes; the last bits need a byte too.")
def floor_bytes(n, bits, n_codebooks=1, entry_bytes=4):
    codes = n * bits // 8
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4 * n_codebooks)


@wrong("bits-as-bytes", "You report bits; divide by 8 for bytes.")
def bits_as_bytes(n, bits, n_codebooks=1, entry_bytes=4):
    codes = n * bits
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes * 8, codes + 32 * n_codebooks)


@wrong(
    "codes-per-byte",
    "You fit 8 // bits whole codes in a byte; these codes are packed without gaps.",
)
def codes_per_byte(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n / (8 // bits))
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4 * n_codebooks)


@wrong("entries-are-bits", "A b-bit code points into 2**b entries; you count b entries.")
def entries_are_bits(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    return _report(n, codes, n_codebooks * bits * entry_bytes, codes + 4 * n_codebooks)


@wrong("narrow-entries", "Codebook entries are real numbers of entry_bytes bytes, not b-bit codes.")
def narrow_entries(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = math.ceil(n_codebooks * 2**bits * bits / 8)
    return _report(n, codes, table, codes + 4 * n_codebooks)


@wrong("always-float32-entries", "You count 4 bytes an entry; use entry_bytes.")
def always_float32(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    return _report(n, codes, n_codebooks * 2**bits * 4, codes + 4 * n_codebooks)


@wrong("one-codebook", "You count one codebook whatever n_codebooks says.")
def one_codebook(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    return _report(n, codes, 2**bits * entry_bytes, codes + 4)


@wrong(
    "one-scale", "Uniform storage has one scale for each codebook that it replaces; you count one."
)
def one_scale(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4)


@wrong(
    "zero-point-counted",
    "You count a scale and a zero-point; symmetric uniform weights have a scale alone.",
)
def zero_point_counted(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 8 * n_codebooks)


@wrong("scale-forgotten", "Uniform storage needs its float32 scale: 4 bytes for each group.")
def scale_forgotten(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes)


@wrong(
    "scale-in-entry-bytes", "The scale is a float32 of 4 bytes; entry_bytes is for the codebook."
)
def scale_in_entry_bytes(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * 2**bits * entry_bytes
    return _report(n, codes, table, codes + entry_bytes * n_codebooks)


@wrong("ratio-upside-down", "Your ratio is upside down: original bytes over stored bytes.")
def upside_down(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * 2**bits * entry_bytes
    return _report(n, codes, table, codes + 4 * n_codebooks, (codes + table) / (4 * n))


@wrong("ratio-of-bits", "Your ratio is 32 / bits: it leaves the codebook out.")
def ratio_of_bits(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    return _report(
        n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4 * n_codebooks, 32 / bits
    )


@wrong("ratio-to-fp16", "You compare with 2 bytes a weight; the weights were float32, 4 bytes.")
def ratio_to_fp16(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * 2**bits * entry_bytes
    return _report(n, codes, table, codes + 4 * n_codebooks, 2 * n / (codes + table))


@wrong(
    "ratio-in-entry-bytes",
    "You count entry_bytes for a weight before; the weights were float32, 4 bytes each.",
)
def ratio_in_entry_bytes(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * 2**bits * entry_bytes
    return _report(n, codes, table, codes + 4 * n_codebooks, entry_bytes * n / (codes + table))


@wrong(
    "ratio-of-unrounded-bits",
    "Your ratio divides by n * bits / 8 bytes of codes; divide by total_bytes, whole bytes.",
)
def ratio_unrounded(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * 2**bits * entry_bytes
    return _report(n, codes, table, codes + 4 * n_codebooks, 32 * n / (n * bits + 8 * table))


@wrong("rounded-bytes", "round goes to the nearest byte; a part of a byte needs a whole one: ceil.")
def rounded_bytes(n, bits, n_codebooks=1, entry_bytes=4):
    codes = round(n * bits / 8)
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4 * n_codebooks)


@wrong("one-byte-more", "n * bits // 8 + 1 is a byte too many where the bits fill whole bytes.")
def one_byte_more(n, bits, n_codebooks=1, entry_bytes=4):
    codes = n * bits // 8 + 1
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4 * n_codebooks)


@wrong(
    "used-entries-only",
    "You count at most n entries; a table of b-bit codes has 2**b, whether or not all are used.",
)
def used_entries(n, bits, n_codebooks=1, entry_bytes=4):
    codes = math.ceil(n * bits / 8)
    table = n_codebooks * min(n, 2**bits) * entry_bytes
    return _report(n, codes, table, codes + 4 * n_codebooks)


@wrong("float-bytes", "You return bytes as a float: use // or math.ceil, bytes are whole.")
def float_bytes(n, bits, n_codebooks=1, entry_bytes=4):
    codes = n * bits / 8
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4 * n_codebooks)


@wrong(
    "rounded-per-group", "You round each group up to whole bytes; the codes are one packed stream."
)
def rounded_per_group(n, bits, n_codebooks=1, entry_bytes=4):
    codes = n_codebooks * math.ceil(math.ceil(n / n_codebooks) * bits / 8)
    return _report(n, codes, n_codebooks * 2**bits * entry_bytes, codes + 4 * n_codebooks)
