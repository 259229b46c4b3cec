"""Answers to gguf-safe-value."""

import struct

from autograder.checks.bank import right, wrong
from autograder.checks.oracles import gguf_reader
from autograder.checks.oracles.gguf_reader import GGUFError

SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}


def _take(data, at, count, size, field="value"):
    if count * size > len(data) - at:
        raise GGUFError(field, "past the end.")
    return data[at : at + count * size], at + count * size


def _value(
    data, at, kind, depth=1, *, deepest=4, boolean=True, errors="strict", bound=True, least=(8, 12),
    elements=True, unknown="value_type", inside="value", decode_error=False, room=False, down=1,
    empty=True, wrap=False, text_bound=True, flat=False,
):  # fmt: skip
    again = dict(deepest=deepest, boolean=boolean, errors=errors, bound=bound, least=least,
                 elements=elements, unknown=unknown, inside=inside, decode_error=decode_error,
                 room=room, down=down, empty=empty, wrap=wrap, text_bound=text_bound)  # fmt: skip
    if kind in SCALARS:
        raw, at = _take(data, at, 1, struct.calcsize("<" + SCALARS[kind]), inside)
        if kind == 7 and boolean and raw[0] > 1:
            raise GGUFError(inside, "boolean.")
        return struct.unpack("<" + SCALARS[kind], raw)[0], at
    if kind == 8:
        raw, at = _take(data, at, 8, 1, inside)
        size = int.from_bytes(raw, "little")
        if not text_bound:
            size = min(size, len(data) - at)
        raw, at = _take(data, at, size, 1, inside)
        try:
            return bytes(raw).decode("utf-8", errors), at
        except UnicodeDecodeError:
            if decode_error:
                raise
            raise GGUFError(inside, "UTF-8.") from None
    if kind != 9:
        raise GGUFError(unknown, "type.")
    raw, at = _take(data, at, 12, 1, inside)
    element, count = struct.unpack("<IQ", raw)
    if depth > deepest and (count or empty):
        raise GGUFError(inside, "deep.")
    if elements and element not in range(13) and (count or elements == "always"):
        raise GGUFError(inside, "element type.")
    if bound:
        size = {8: least[0], 9: least[1]}.get(element) or (
            struct.calcsize("<" + SCALARS[element]) if element in SCALARS else 1
        )
        if wrap:
            size = count * size % 2**64
            _take(data, at, size, 1, inside)
        else:
            _take(data, at, count, size, inside)
    values = [None] * count if room else []
    for i in range(count):
        item, at = _value(data, at, element, depth + down, **again)
        if room:
            values[i] = item
        else:
            values.append(item)
    return values, at


def _with(**options):
    """The answer with some of its tests changed."""

    def answer(data, at, value_type, depth=1):
        return _value(data, at, value_type, depth, **{"elements": "always", **options})

    return answer


@right("every read bounded")
def bounded(data, at, value_type, depth=1):
    return _value(data, at, value_type, depth, elements="always")


@right("the reference reader")
def reference(data, at, value_type, depth=1):
    return gguf_reader.read_value(data, at, value_type, depth)


@right("numbers of an array at once")
def at_once(data, at, value_type, depth=1):
    if value_type == 9 and depth < 5 and len(data) - at >= 12:
        element, count = struct.unpack_from("<IQ", data, at)
        if element in SCALARS and element != 7:
            code = SCALARS[element]
            raw, end = _take(data, at + 12, count, struct.calcsize("<" + code))
            return list(struct.unpack(f"<{count}{code}", raw)), end
    return _value(data, at, value_type, depth, elements="always")


@wrong("count-not-bounded", "An array's count must fit into the bytes left, before its loop.")
def count_unbounded(data, at, value_type, depth=1):
    return _with(bound=False, room=True)(data, at, value_type, depth)


@wrong("room-before-test", "You make room for all elements before you know that they are there.")
def room_first(data, at, value_type, depth=1):
    if value_type == 9 and len(data) - at >= 12:
        room = [None] * min(int.from_bytes(data[at + 4 : at + 12], "little"), 2**60)
        del room
    return bounded(data, at, value_type, depth)


@wrong("product-wraps", "count * size wraps in 64 bits: 2^61 numbers of 8 bytes are 0 bytes.")
def wraps(data, at, value_type, depth=1):
    return _with(wrap=True, room=True)(data, at, value_type, depth)


@wrong("short-string-accepted", "A string that is cut off must be refused, not shortened.")
def short(data, at, value_type, depth=1):
    return _with(text_bound=False)(data, at, value_type, depth)


@wrong("depth-not-bounded", "Arrays in arrays without an end overflow the stack: refuse depth 5.")
def deep(data, at, value_type, depth=1):
    return _with(deepest=10**9)(data, at, value_type, depth)


@wrong("depth-five-accepted", "An array at depth 5 is one too deep.")
def five(data, at, value_type, depth=1):
    return _with(deepest=5)(data, at, value_type, depth)


@wrong("depth-four-refused", "Four levels are allowed.")
def three(data, at, value_type, depth=1):
    return _with(deepest=3)(data, at, value_type, depth)


@wrong("depth-not-handed-down", "Hand depth + 1 to the elements.")
def not_down(data, at, value_type, depth=1):
    return _with(down=0)(data, at, value_type, depth)


@wrong("depth-ignored", "`depth` is what the caller says; the value may lie inside arrays already.")
def from_one(data, at, value_type, depth=1):
    return bounded(data, at, value_type)


@wrong("empty-array-any-depth", "An empty array at depth 5 is too deep as well.")
def empty_deep(data, at, value_type, depth=1):
    return _with(empty=False)(data, at, value_type, depth)


@wrong("boolean-any-byte", "A boolean is 0 or 1: refuse other bytes.")
def any_boolean(data, at, value_type, depth=1):
    return _with(boolean=False)(data, at, value_type, depth)


@wrong("text-replaced", "Text that is no UTF-8 must be refused, not repaired.")
def replaced(data, at, value_type, depth=1):
    return _with(errors="replace")(data, at, value_type, depth)


@wrong("text-ignored", "Text that is no UTF-8 must be refused, not shortened.")
def ignored(data, at, value_type, depth=1):
    return _with(errors="ignore")(data, at, value_type, depth)


@wrong("surrogates-passed", "Surrogates are no UTF-8.")
def surrogates(data, at, value_type, depth=1):
    return _with(errors="surrogatepass")(data, at, value_type, depth)


@wrong("decode-error-passed-on", "UnicodeDecodeError names no field: turn it into a GGUFError.")
def decode_error(data, at, value_type, depth=1):
    return _with(decode_error=True)(data, at, value_type, depth)


@wrong("element-type-as-value-type", "An unknown element type lies inside the value: field value.")
def element_field(data, at, value_type, depth=1):
    return _with(elements=False)(data, at, value_type, depth)


@wrong("empty-array-any-type", "The element type of an empty array is tested too.")
def empty_type(data, at, value_type, depth=1):
    return _with(elements=True)(data, at, value_type, depth)


@wrong("unknown-type-as-value", "An unknown value_type has the field value_type.")
def unknown(data, at, value_type, depth=1):
    return _with(unknown="value")(data, at, value_type, depth)


@wrong("other-field-names", "All problems inside a value have the field value.")
def other_names(data, at, value_type, depth=1):
    return _with(inside="array" if value_type == 9 else "string")(data, at, value_type, depth)


@wrong("struct-error", "struct.error is no GGUFError: test the bytes left first.")
def struct_error(data, at, value_type, depth=1):
    if value_type in SCALARS:
        return struct.unpack_from("<" + SCALARS[value_type], data, at)[0], at + struct.calcsize(
            "<" + SCALARS[value_type]
        )
    return bounded(data, at, value_type, depth)


@wrong(
    "everything-as-one-error", "Catching all errors hides your own bugs and takes the memory first."
)
def catch_all(data, at, value_type, depth=1):
    try:
        return _with(bound=False, room=True, deepest=10**9)(data, at, value_type, depth)
    except Exception as error:
        raise GGUFError("value", str(error)) from None


@wrong("strings-need-nine", "An empty string takes 8 bytes.")
def nine(data, at, value_type, depth=1):
    return _with(least=(9, 13))(data, at, value_type, depth)


@wrong("short-arrays-only", "A fixed limit refuses good arrays: compare with the bytes left.")
def limited(data, at, value_type, depth=1):
    found = bounded(data, at, value_type, depth)
    if isinstance(found[0], list) and len(found[0]) > 3:
        raise GGUFError("value", "over 3 elements.")
    return found


@wrong("inner-element-type", "An element type is a part of the value, in inner arrays as well.")
def inner_element_type(data, at, kind, depth=1):
    if kind != 9 or depth > 4:
        return _value(data, at, kind, depth, elements="always")
    raw, at = _take(data, at, 12, 1)
    element, count = struct.unpack("<IQ", raw)
    if element > 12:
        raise GGUFError("value" if depth == 1 else "value_type", "element type.")
    least = {8: 8, 9: 12}.get(element) or struct.calcsize("<" + SCALARS[element])
    _take(data, at, count, least)
    values = []
    for _ in range(count):
        value, at = inner_element_type(data, at, element, depth + 1)
        values.append(value)
    return values, at


@wrong("bytes-only", "data may be a memoryview, which has no decode: str(raw, 'utf-8') reads both.")
def bytes_only(data, at, kind, depth=1):
    if not isinstance(data, bytes):
        raise AttributeError("'memoryview' object has no attribute 'decode'")
    return _value(data, at, kind, depth, elements="always")


def _each(value, change):
    return [_each(item, change) for item in value] if isinstance(value, list) else change(value)


def _changed(name, sentence, change):
    @wrong(name, sentence)
    def answer(data, at, value_type, depth=1):
        value, end = bounded(data, at, value_type, depth)
        return _each(value, change), end

    return answer


def _refused(name, sentence, refuse):
    @wrong(name, sentence)
    def answer(data, at, value_type, depth=1):
        value, end = bounded(data, at, value_type, depth)
        if refuse(value):
            raise GGUFError("value", "not liked.")
        return value, end

    return answer


mark = _changed("mark-removed", "A byte order mark is text like any other: decode with utf-8, not utf-8-sig.",
                lambda v: v.removeprefix("\ufeff") if isinstance(v, str) else v)  # fmt: skip
zero_end = _changed("text-to-the-zero", "A string has its length before it; a zero byte does not end it.",
                    lambda v: v.split("\0")[0] if isinstance(v, str) else v)  # fmt: skip
stripped = _changed("text-stripped", "White space belongs to the text.",
                    lambda v: v.strip() if isinstance(v, str) else v)  # fmt: skip
signed = _changed("signed-64-bits", "A uint64 has no sign.",
                  lambda v: v - 2**64 if isinstance(v, int) and v >= 2**63 else v)  # fmt: skip
finite = _refused("finite-only", "Infinity and NaN are floats: no rule refuses them.",
                  lambda v: isinstance(v, float) and not abs(v) < float("inf"))  # fmt: skip
long_array = _refused("a-thousand-elements", "An array may be as long as the file allows.",
                      lambda v: isinstance(v, list) and len(v) > 1000)  # fmt: skip
long_text = _refused("text-of-4096", "A string may be as long as the file allows.",
                     lambda v: isinstance(v, str) and len(v) > 4096)  # fmt: skip


@wrong("type-of-one-byte", "The type is a uint32: 260 is not 4.")
def one_byte_type(data, at, value_type, depth=1):
    return bounded(data, at, value_type & 255, depth)


@wrong("element-type-of-one-byte", "The element type is a uint32: look at all its bytes.")
def one_byte_element(data, at, value_type, depth=1):
    if value_type == 9 and len(data) - at >= 12:
        data = bytes(data[: at + 1]) + bytes(3) + bytes(data[at + 4 :])
    return bounded(data, at, value_type, depth)


@wrong("big-endian-uint16", "Numbers are little-endian.")
def big_endian(data, at, value_type, depth=1):
    value, end = bounded(data, at, value_type, depth)
    return (int.from_bytes(data[at:end], "big") if value_type == 2 else value), end
