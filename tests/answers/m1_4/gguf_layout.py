"""Answers to gguf-layout."""

from autograder.checks.bank import right, wrong
from autograder.checks.oracles.gguf_reader import GGUFError


def _check(
    places, alignment, available, *, aligned=True, ordered=True, ends=True, begins=False, bits=None,
    first=True, strict=False, back=1, field="offset", unused=None, gaps=True, tail=False,
):  # fmt: skip
    ends_before = [0]
    for i, (offset, size) in enumerate(places):
        end = offset + size
        if bits:
            end %= 2**bits
        if (
            aligned
            and (offset % alignment or (aligned == "size" and size % alignment))
            and (i or first)
        ):
            raise GGUFError(field, "alignment.")
        last = ends_before[-back] if len(ends_before) >= back else 0
        if ordered and (offset < last or (strict and i and offset == last)):
            raise GGUFError(field, "order.")
        if not gaps and offset - ends_before[-1] >= alignment:
            raise GGUFError(field, "gap.")
        if (ends and end > available) or (begins and offset > available):
            raise GGUFError(field, "end.")
        ends_before.append(end)
    if tail and available - ends_before[-1] >= alignment:
        raise GGUFError(field, "tail.")
    if unused:
        return unused(places, available)
    return max(available, 0) - sum(size for _, size in places)


@right("one pass")
def one_pass(places, alignment, available):
    return _check(places, alignment, available)


@right("ends and beginnings side by side")
def side_by_side(places, alignment, available):
    if any(size > available for _, size in places):
        raise GGUFError("dims", "longer than all.")
    begins = [offset for offset, _ in places]
    ends = [offset + size for offset, size in places]
    if any(begin % alignment for begin in begins):
        raise GGUFError("offset", "alignment.")
    if any(begin < end for begin, end in zip(begins[1:], ends, strict=False)):
        raise GGUFError("offset", "order.")
    if ends and ends[-1] > available:
        raise GGUFError("offset", "end.")
    return max(0, available) - sum(e - b for b, e in zip(begins, ends, strict=True))


@wrong("alignment-not-tested", "An offset must be a multiple of the alignment.")
def unaligned(places, alignment, available):
    return _check(places, alignment, available, aligned=False)


@wrong("first-not-aligned", "The alignment holds for the first tensor too.")
def first(places, alignment, available):
    return _check(places, alignment, available, first=False)


@wrong("sizes-aligned", "Only offsets are aligned; a size may be any number.")
def sizes(places, alignment, available):
    return _check(places, alignment, available, aligned="size")


@wrong("alignment-always-32", "The alignment is an argument.")
def always_32(places, alignment, available):
    return _check(places, 32, available)


@wrong("alignment-eight", "A multiple of 8 is not enough.")
def eight(places, alignment, available):
    return _check(places, 8, available)


@wrong("overlap-not-tested", "Two tensors must not share bytes.")
def overlap(places, alignment, available):
    return _check(places, alignment, available, ordered=False)


@wrong("same-offset-only", "Tensors overlap also if they begin at different places.")
def same_offset(places, alignment, available):
    if len({offset for offset, _ in places}) < len(places):
        raise GGUFError("offset", "twice.")
    return _check(places, alignment, available, ordered=False)


@wrong("sorted-first", "The table's order must be the file's: do not sort.")
def sorted_first(places, alignment, available):
    return _check(sorted(places), alignment, available)


@wrong("offsets-ascending-only", "Ascending offsets can overlap: compare with the end before.")
def ascending(places, alignment, available):
    offsets = [offset for offset, _ in places]
    if offsets != sorted(set(offsets)):
        raise GGUFError("offset", "order.")
    return _check(places, alignment, available, ordered=False)


@wrong("touching-refused", "A tensor may begin where the one before it ends.")
def touching(places, alignment, available):
    return _check(places, alignment, available, strict=True)


@wrong("end-not-tested", "offset + size must stay within available.")
def no_end(places, alignment, available):
    return _check(places, alignment, available, ends=False)


@wrong("beginning-tested-only", "A tensor can begin inside and end outside.")
def beginning(places, alignment, available):
    return _check(places, alignment, available, ends=False, begins=True)


@wrong("end-wraps", "offset + size wraps in 64 bits: 2^64 - 32 + 64 is 32.")
def wraps(places, alignment, available):
    return _check(places, alignment, available, bits=64, ordered=False)


@wrong(
    "last-tested-only", "Test each tensor; with offsets out of order the last is not the furthest."
)
def last_only(places, alignment, available):
    return _check(
        places[-1:], alignment, available, unused=lambda p, a: max(a, 0) - sum(s for _, s in places)
    )


@wrong("total-tested", "The sum of the sizes says nothing about where they lie.")
def total(places, alignment, available):
    if sum(size for _, size in places) > available:
        raise GGUFError("offset", "sum.")
    return max(available, 0) - sum(size for _, size in places)


@wrong("one-byte-too-few", "A tensor may end with the last byte.")
def too_few(places, alignment, available):
    return _check(places, alignment, available - 1) + 1 if places else max(available, 0)


@wrong("gaps-refused", "Gaps are allowed.")
def gaps(places, alignment, available):
    return _check(places, alignment, available, gaps=False)


@wrong("tail-refused", "Bytes behind the last tensor are allowed.")
def tail(places, alignment, available):
    return _check(places, alignment, available, tail=True)


@wrong("empty-refused", "No tensor is no error.")
def empty(places, alignment, available):
    if not places or available < 0:
        raise GGUFError("offset", "nothing.")
    return _check(places, alignment, available)


@wrong("negative-unused", "Without tensors the answer is max(available, 0).")
def negative(places, alignment, available):
    return _check(places, alignment, available, unused=lambda p, a: a - sum(s for _, s in p))


@wrong("tail-not-counted", "Bytes behind the last tensor belong to no tensor either.")
def no_tail(places, alignment, available):
    def unused(found, _):
        return sum(found[-1]) - sum(size for _, size in found) if found else max(available, 0)

    return _check(places, alignment, available, unused=unused)


@wrong("used-returned", "Return the bytes in no tensor.")
def used(places, alignment, available):
    return _check(places, alignment, available, unused=lambda p, a: sum(s for _, s in p))


@wrong("true-returned", "Return how many bytes belong to no tensor.")
def true(places, alignment, available):
    return _check(places, alignment, available, unused=lambda p, a: True)


@wrong("other-field", "The field is offset.")
def other(places, alignment, available):
    return _check(places, alignment, available, field="layout")


@wrong(
    "sum-named-dims",
    "Each tensor alone fits: the field is offset, dims is for one that is too long.",
)
def sum_dims(places, alignment, available):
    if places and sum(size for _, size in places) > available:
        raise GGUFError("dims", "too long together.")
    return _check(places, alignment, available)
