"""trace-recorded: the faults of the six recorded traces, with an operator and its total time."""

import functools

from autograder.checks import case, expect
from autograder.checks.oracles import traces
from lab.traces import read_trace, shipped_traces

PARTS = {"plain faults": 0.5, "faults inside the operators": 0.5}
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


@functools.cache
def _times(letter):
    return traces.by_name(_spans(letter))


def cases(rng):
    plain, inside = PARTS
    for letter in shipped_traces():
        part = plain if letter in "acd" else inside
        yield case(f"trace {letter}", part, letter=letter, spans=_spans(letter))


def probe(solution, letter, spans):
    return solution(letter, spans)


def judge(case, answer):
    fault, names = FAULTS[case.letter]
    operators = names.split()
    answer = expect.mapping(answer, ("fault", "operator", "total_us"), only=True)
    expect.that(
        answer["fault"] == fault,
        f"The fault of trace {case.letter} is another.",
        yours=str(answer["fault"]),
        hint="Look at calls and at self times: what would each of the programs call?",
    )
    times = _times(case.letter)
    if fault == "healthy":
        ops = {s["name"] for s in case.spans if s["cat"] == "cpu_op"}
        operators = (max(ops, key=lambda name: times[name]["self_us"]),)
    named = answer["operator"]
    expect.that(
        named in operators and named in times,
        "`operator` is no span that this fault causes.",
        yours=str(named),
        hint="Take the name from the trace, letter by letter.",
    )
    slack = 0.01 + 0.002 * times[named]["calls"]
    expect.number(answer["total_us"], times[named]["total_us"], "total_us", atol=slack)
