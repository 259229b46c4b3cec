"""Answers to tensor-use."""

from autograder.checks.bank import right, wrong

PIPE = "sm__inst_executed_pipe_tensor"
PERCENT = "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active"
KINDS = ("INT", "FP", "FP64")
MISSING = object()


def _refuse(wanted):
    if wanted not in KINDS:
        raise ValueError("kind")


def _get(metrics, name, default=None):
    return metrics.get(f"{PIPE}{name}.sum", default)


def _counts(metrics, half=True, total=True, missing_dmma=0, missing_half=0, total_less_half=True):
    packed = _get(metrics, "_op_hmma_type_hfma2", missing_half)
    hmma = _get(metrics, "_op_hmma")
    if half:
        hmma = None if hmma is None or packed is None else hmma - packed
    counts = {"INT": _get(metrics, "_op_imma"), "FP": hmma,
              "FP64": _get(metrics, "_op_dmma", missing_dmma)}  # fmt: skip
    every = _get(metrics, "")
    if total and every is not None:
        rest = (None if packed is None else every - packed) if total_less_half else every
        if rest == 0:
            counts = {kind: 0 for kind in KINDS}
    return counts


def _verdict(counts, wanted):
    known = [n for n in counts.values() if n is not None]
    if counts[wanted] is not None and counts[wanted] > 0:
        return "wanted"
    if len(known) < 3:
        return "unknown"
    return "other" if max(known) > 0 else "none"


def _answer(metrics, wanted, verdict=_verdict, **how):
    _refuse(wanted)
    counts = _counts(metrics, **how)
    return {
        "counts": counts,
        "verdict": verdict(counts, wanted),
        "active_pct": metrics.get(PERCENT),
    }


@right("counts, then a verdict")
def plain(metrics, wanted):
    return _answer(metrics, wanted)


@right("the total first")
def total_first(metrics, wanted):
    if wanted not in ("INT", "FP", "FP64"):
        raise ValueError(wanted)
    base = PIPE + "_op_"
    half = metrics[base + "hmma_type_hfma2.sum"] if base + "hmma_type_hfma2.sum" in metrics else 0.0
    whole = metrics.get(PIPE + ".sum")
    if whole is not None and half is not None and whole == half:
        found = dict(INT=0.0, FP=0.0, FP64=0.0)
    else:
        found = dict(
            INT=metrics.get(base + "imma.sum"), FP64=metrics.get(base + "dmma.sum", 0.0), FP=None
        )
        if metrics.get(base + "hmma.sum") is not None and half is not None:
            found["FP"] = metrics[base + "hmma.sum"] - half
    if (found[wanted] or 0) > 0:
        word = "wanted"
    elif any(n is None for n in found.values()):
        word = "unknown"
    else:
        word = "other" if sum(found.values()) > 0 else "none"
    return dict(counts=found, verdict=word, active_pct=metrics.get(PERCENT))


@wrong("na-hfma2-as-zero", "hfma2 that is n/a leaves FP unknown.")
def na_half(metrics, wanted):
    name = PIPE + "_op_hmma_type_hfma2.sum"
    return _answer(metrics | ({name: 0} if metrics.get(name, 1) is None else {}), wanted)


@wrong(
    "hfma2-not-subtracted",
    "hmma also counts HFMA2.MMA, packed arithmetic without any matrix: subtract it.",
)
def packed(metrics, wanted):
    return _answer(metrics, wanted, half=False)


@wrong("missing-as-zero", "A counter that was not collected is unknown, not 0.")
def zero(metrics, wanted):
    filled = {f"{PIPE}{op}.sum": 0 for op in ("_op_imma", "_op_hmma")} | {
        name: 0 if value is None and name.startswith(PIPE + "_") else value
        for name, value in metrics.items()
    }
    return _answer(filled, wanted)


@wrong("na-as-zero", "n/a is unknown, not 0.")
def na_zero(metrics, wanted):
    filled = {n: 0 if v is None and n.startswith(PIPE + "_") else v for n, v in metrics.items()}
    return _answer(filled, wanted)


@wrong("missing-dmma-unknown", "Most chips have no dmma counter: a missing one is 0.")
def dmma(metrics, wanted):
    return _answer(metrics, wanted, missing_dmma=None)


@wrong("missing-hfma2-unknown", "A chip without the hfma2 counter has nothing to subtract.")
def hfma2(metrics, wanted):
    return _answer(metrics, wanted, missing_half=None)


@wrong("na-dmma-as-zero", "dmma that is n/a exists and was not collected: unknown.")
def na_dmma(metrics, wanted):
    name = PIPE + "_op_dmma.sum"
    return _answer(metrics | ({name: 0} if metrics.get(name, 1) is None else {}), wanted)


@wrong("total-not-read", "A total of 0 settles all three kinds.")
def no_total(metrics, wanted):
    return _answer(metrics, wanted, total=False)


@wrong("total-with-hfma2", "The total contains hfma2 as well: subtract it before comparing with 0.")
def total_whole(metrics, wanted):
    return _answer(metrics, wanted, total_less_half=False)


@wrong("total-counts-for-wanted", "A total above 0 does not say which kind ran.")
def total_says(metrics, wanted):
    found = _answer(metrics, wanted)
    if found["verdict"] == "unknown" and (_get(metrics, "") or 0) > 0:
        found["verdict"] = "wanted"
    return found


@wrong("any-kind-for-wanted", "That some kind ran does not say that the wanted one did.")
def any_kind(metrics, wanted):
    def verdict(counts, wanted):
        return "wanted" if any((n or 0) > 0 for n in counts.values()) else _verdict(counts, wanted)

    return _answer(metrics, wanted, verdict=verdict)


@wrong("unknown-too-eager", "The wanted count above 0 is enough, whatever else is unknown.")
def eager(metrics, wanted):
    def verdict(counts, wanted):
        return "unknown" if None in counts.values() else _verdict(counts, wanted)

    return _answer(metrics, wanted, verdict=verdict)


@wrong(
    "other-before-unknown",
    "While any count is unknown, the answer is unknown: nothing else is inferred.",
)
def other_first(metrics, wanted):
    def verdict(counts, wanted):
        if not (counts[wanted] or 0) > 0 and any((n or 0) > 0 for n in counts.values()):
            return "other"
        return _verdict(counts, wanted)

    return _answer(metrics, wanted, verdict=verdict)


@wrong("none-before-unknown", "None of the known ones ran: an unknown one may have.")
def none_first(metrics, wanted):
    def verdict(counts, wanted):
        return "none" if not any(counts.values()) else _verdict(counts, wanted)

    return _answer(metrics, wanted, verdict=verdict)


@wrong(
    "from-the-percentage",
    "The percentage says how busy the pipe is, not with what; it may be missing.",
)
def by_percent(metrics, wanted):
    found = _answer(metrics, wanted)
    active = metrics.get(PERCENT)
    return found | {"verdict": "wanted" if (active or 0) > 0 else found["verdict"]}


@wrong("imma-and-hmma-swapped", "IMMA multiplies integers, HMMA floating-point numbers.")
def swapped(metrics, wanted):
    _refuse(wanted)
    found = _counts(metrics)
    found["INT"], found["FP"] = found["FP"], found["INT"]
    return {"counts": found, "verdict": _verdict(found, wanted), "active_pct": metrics.get(PERCENT)}


@wrong("percentage-as-zero", "A percentage that was not collected is None.")
def no_percent(metrics, wanted):
    return _answer(metrics, wanted) | {"active_pct": metrics.get(PERCENT) or 0.0}


@wrong("percentage-as-share", "active_pct is the percentage as ncu prints it.")
def share(metrics, wanted):
    found = _answer(metrics, wanted)
    return found | {
        "active_pct": None if found["active_pct"] is None else found["active_pct"] / 100
    }


@wrong("any-kind-accepted", "Another kind than INT, FP or FP64 must raise ValueError.")
def accepted(metrics, wanted):
    return _answer(metrics, wanted if wanted in KINDS else "INT")


@wrong(
    "count-from-the-total",
    "A missing count is not inferred from the total: other kinds may be in it.",
)
def inferred(metrics, wanted):
    _refuse(wanted)
    counts, total = _counts(metrics), _get(metrics, "")
    if counts["INT"] is None and None not in (total, counts["FP"]):
        counts["INT"] = total - counts["FP"]
    return {
        "counts": counts,
        "verdict": _verdict(counts, wanted),
        "active_pct": metrics.get(PERCENT),
    }


@wrong("floating-from-the-total", "A total equal to imma does not make hmma known.")
def floating(metrics, wanted):
    _refuse(wanted)
    counts, total = _counts(metrics), _get(metrics, "")
    if counts["FP"] is None and _get(metrics, "_op_hmma", 0) == 0 and total == counts["INT"]:
        counts["FP"] = 0
    return {
        "counts": counts,
        "verdict": _verdict(counts, wanted),
        "active_pct": metrics.get(PERCENT),
    }
