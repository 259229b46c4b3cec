"""trace-recorded: the faults of the six recorded traces, with an operator and its total time."""

import functools
import json

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from lab.traces import read_trace, shipped_traces

PARTS = {"totals": 0.25} | {f"trace {letter}": 0.125 for letter in "abcdef"}
HINTS = (
    "Many calls of aten::item: values go to Python one by one.",
    "linear_prepack belongs before the first step, not into it.",
    "In a healthy step the products have most self time.",
)
# What each program causes (data/record_traces.py), and the operators that show it.
FAULTS = {
    "a": ("item_loop", "aten::item aten::_local_scalar_dense aten::select aten::as_strided"),
    "b": ("repacking", "quantized::linear_prepack aten::qscheme aten::q_scale aten::q_zero_point"),
    "c": ("healthy", ""),
    "d": ("data_loader", "enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"),
    "e": ("qdq", "aten::quantize_per_tensor aten::dequantize aten::aminmax aten::neg aten::maximum "
                 "aten::item aten::_local_scalar_dense aten::fill_ aten::empty"),
    "f": ("dtype_copies", "aten::to aten::_to_copy aten::copy_ aten::empty_strided"),
}  # fmt: skip
BANK_SEEDS = 1


@functools.cache
def _spans(letter):
    return traces.read(read_trace(shipped_traces()[letter]))


@functools.lru_cache(maxsize=16)
def _times(text):
    """Times by name, and the operators by self time, the most first."""
    spans = json.loads(text)
    times = traces.by_name(spans)
    ops = {s["name"] for s in spans if s["cat"] == "cpu_op"}
    return times, sorted(ops, key=lambda name: -times[name]["self_us"])


def _stretched(spans, factor):
    return [{**s, **{key: s[key] * factor for key in ("start_us", "end_us")}} for s in spans]


def cases(rng):
    # As text: thousands of dicts take much longer to copy and to compare than to read.
    for letter in shipped_traces():
        slower = _stretched(_spans(letter), float(rng.uniform(1.2, 2.0)))
        label = f"trace {letter}, all times stretched"
        yield case(label, "totals", letter=letter, text=json.dumps(slower))
    for letter in shipped_traces():
        label = f"trace {letter}"
        yield case(label, label, letter=letter, text=json.dumps(_spans(letter)))


def probe(solution, letter, text):
    import json

    return solution(letter, json.loads(text))


def judge(case, answer):
    answer = expect.mapping(answer, ("fault", "operator", "total_us"), only=True)
    times, ops = _times(case.text)
    named = answer["operator"]
    expect.that(
        isinstance(named, str) and named in times,
        f"No span of trace {case.letter} has the name in `operator`.",
        yours=str(named),
        hint="Take the name from the trace, letter by letter.",
    )
    slack = 0.01 + 0.004 * times[named]["calls"]
    expect.number(
        answer["total_us"],
        times[named]["total_us"],
        f"total_us of {named!r}",
        atol=slack,
        hint="The total time of that name in the spans that are given, as time_by_name gives it.",
    )
    if case.part == "totals":
        return
    fault, names = FAULTS[case.letter]
    expect.that(
        answer["fault"] == fault,
        f"The fault of trace {case.letter} is another.",
        yours=str(answer["fault"]),
        hint="Look at calls and at self times: what would each of the programs call?",
    )
    if fault == "healthy":
        expect.that(
            named == ops[0],
            "`operator` is not the operator with the most self time.",
            yours=named,
            hint="Of the spans with cat cpu_op, by self_us.",
        )
        return
    expect.that(
        named in names.split(),
        "`operator` is no span that this fault causes.",
        yours=named,
        hint="Which spans within the step would be missing, or far shorter, without the fault?",
    )
