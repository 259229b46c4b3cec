"""Answers to trace-recorded."""

from autograder.checks.bank import right, wrong

LOADER = "enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"
TABLE = {
    "a": ("item_loop", "aten::item"),
    "b": ("repacking", "quantized::linear_prepack"),
    "c": ("healthy", "aten::mm"),
    "d": ("data_loader", LOADER),
    "e": ("qdq", "aten::quantize_per_tensor"),
    "f": ("dtype_copies", "aten::_to_copy"),
}


def _total(spans, name, recursion=True):
    found, last = 0.0, {}
    for s in spans:
        if s["name"] == name:
            place = (s["pid"], s["tid"])
            if s["end_us"] > last.get(place, -1.0) or not recursion:
                found += s["end_us"] - s["start_us"]
                last[place] = max(s["end_us"], last.get(place, -1.0))
    return found


def _self(spans, name):
    left, around = 0.0, []
    for s in spans:
        while around and around[-1][1] < (s["start_us"] + s["end_us"]) / 2:
            around.pop()
        length = s["end_us"] - s["start_us"]
        left += length * (s["name"] == name)
        left -= length * bool(around and around[-1][0] == name)
        around.append((s["name"], s["end_us"]))
    return left


def _answer(letter, spans, table=TABLE, total=_total):
    fault, operator = table[letter]
    return {"fault": fault, "operator": operator, "total_us": total(spans, operator)}


@right("a table by letter")
def by_table(letter, spans):
    return _answer(letter, spans)


@right("other operators of the same faults")
def others(letter, spans):
    more = {
        "a": ("item_loop", "aten::_local_scalar_dense"),
        "e": ("qdq", "aten::dequantize"),
        "f": ("dtype_copies", "aten::copy_"),
    }
    return _answer(letter, spans, TABLE | more)


@right("rules over the operators, blind to the letter")
def rules(letter, spans):
    names = [s["name"] for s in spans]
    step = sum(s["end_us"] - s["start_us"] for s in spans if s["name"].startswith("ProfilerStep#"))
    tests = [
        ("data_loader", LOADER, _total(spans, LOADER) > step / 4),
        ("repacking", "quantized::linear_prepack", "quantized::linear_prepack" in names),
        ("qdq", "aten::quantize_per_tensor", "aten::dequantize" in names),
        ("item_loop", "aten::item", names.count("aten::item") > 100),
        ("dtype_copies", "aten::_to_copy", _total(spans, "aten::_to_copy") > step / 4),
    ]
    fault, operator = next(((f, o) for f, o, hit in tests if hit), ("healthy", None))
    if operator is None:
        ops = sorted({s["name"] for s in spans if s["cat"] == "cpu_op"})
        operator = max(ops, key=lambda n: _self(spans, n))
    return {"fault": fault, "operator": operator, "total_us": _total(spans, operator)}


def _with(**changes):
    return TABLE | changes


@wrong("all-healthy", "Five of the six programs do something foolish.")
def healthy(letter, spans):
    return _answer(letter, spans, dict.fromkeys(TABLE, TABLE["c"]))


@wrong(
    "repacking-as-qdq",
    "linear_prepack packs weights again; it quantizes nothing, and there is no dequantize in that trace.",
)
def repack_qdq(letter, spans):
    return _answer(letter, spans, _with(b=("qdq", "quantized::linear_prepack")))


@wrong(
    "qdq-as-copies",
    "quantize_per_tensor and dequantize round to codes and back; that is more than a change of dtype.",
)
def qdq_copies(letter, spans):
    return _answer(letter, spans, _with(e=("dtype_copies", "aten::quantize_per_tensor")))


@wrong(
    "copies-as-qdq",
    "No operator quantizes in that trace: _to_copy converts from float16 to float32.",
)
def copies_qdq(letter, spans):
    return _answer(letter, spans, _with(f=("qdq", "aten::_to_copy")))


@wrong(
    "healthy-as-slow",
    "In trace c the products have most self time: that is what a healthy step looks like.",
)
def healthy_slow(letter, spans):
    return _answer(letter, spans, _with(c=("dtype_copies", "aten::mm")))


@wrong(
    "item-as-loader",
    "A thousand calls of aten::item read values one by one; no loader is in that trace.",
)
def item_loader(letter, spans):
    return _answer(letter, spans, _with(a=("data_loader", "aten::item")))


@wrong(
    "longest-span-as-proof",
    "The operator that proves the fault is asked; the whole step contains everything.",
)
def longest(letter, spans):
    step = next(s["name"] for s in spans if s["name"].startswith("ProfilerStep#"))
    return _answer(letter, spans, {k: (f, step) for k, (f, _) in TABLE.items()})


@wrong("self-time-for-total", "The total time is asked, with what the operator calls.")
def self_time(letter, spans):
    return _answer(letter, spans, total=_self)


@wrong("share-for-time", "total_us is in microseconds, not a share.")
def share(letter, spans):
    step = sum(s["end_us"] - s["start_us"] for s in spans if s["name"].startswith("ProfilerStep#"))
    return _answer(letter, spans, total=lambda s, n: _total(s, n) / step)


@wrong("milliseconds", "total_us is in microseconds.")
def milliseconds(letter, spans):
    return _answer(letter, spans, total=lambda s, n: _total(s, n) / 1e3)


@wrong("first-call-only", "The total is over all calls.")
def first(letter, spans):
    return _answer(
        letter,
        spans,
        total=lambda s, n: next(x["end_us"] - x["start_us"] for x in s if x["name"] == n),
    )


@wrong("short-names", "Write the operator's name as in the trace, aten:: included.")
def short(letter, spans):
    said = _answer(letter, spans)
    return {**said, "operator": said["operator"].split("::")[-1].split("#")[-1]}


@wrong("products-as-proof", "aten::mm is in every trace and proves none of the faults.")
def products(letter, spans):
    return _answer(letter, spans, {k: (f, "aten::mm") for k, (f, _) in TABLE.items()})


@wrong("totals-typed-in", "Compute total_us from the spans: another recording has other times.")
def typed_in(letter, spans):
    first = {"a": 170.06, "b": 577.06, "c": 1242.0, "d": 16585.65, "e": 4831.28, "f": 624.53}
    return {**_answer(letter, spans), "total_us": first[letter]}
