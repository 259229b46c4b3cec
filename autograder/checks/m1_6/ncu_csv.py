"""ncu-csv: tables of drawn values in both layouts of ncu's CSV, read back."""

from autograder.checks import case, expect
from lab.ncu_text import Profiled, around, details, raw

PARTS = {"raw page": 0.45, "details page": 0.4, "refuse": 0.15}
HINTS = (
    "Begin at the line that starts with '\"ID\",'; keep the lines that start with a double quote.",
    "csv.DictReader splits quoted commas rightly. The raw page's row of units has an empty ID.",
    'details: "Metric Name" is a column. A value: without commas through float(), else None or text.',
)
KERNELS = (
    "quantize_rows(const float *, signed char *, int)",
    "void gemm<signed char, int, 128>(T1 *, T2 *, int)",
    'void scale<operator""_q, float>(float)',
    "add",
)
SECTIONS = ("GPU Speed Of Light Throughput", "Memory Workload Analysis", "Occupancy")
NAMES = (
    ("gpu__time_duration.sum", "nsecond"),
    ("dram__bytes_read.sum", "byte"),
    ("sm__warps_active.avg.pct_of_peak_sustained_active", "%"),
    ("launch__registers_per_thread", "register/thread"),
    ("launch__func_cache_config", ""),
    ("sm__inst_executed_pipe_tensor_op_imma.sum", "inst"),
)
LABELS = (("Duration", "nsecond"), ("Memory Throughput", "%"), ("Registers Per Thread", "register/thread"),
          ("Function Cache Configuration", ""), ("Achieved Occupancy", "%"))  # fmt: skip


def _value(rng, name):
    """A value as ncu prints it, and what it means."""
    if "config" in name.lower():
        return "CachePreferNone", "CachePreferNone"
    kind = int(rng.integers(5))
    if kind == 0:
        return "n/a", None
    if kind == 1:
        number = float(round(float(rng.uniform(0, 100)), 2))
        return f"{number:,.2f}", number
    if kind == 2:
        number = round(float(rng.uniform(1e3, 9e6)), 2)
        return f"{number:,.2f}", number
    number = int(rng.integers(0, 2)) * int(rng.integers(1, 10 ** int(rng.integers(1, 13))))
    return f"{number:,}", float(number)


def _launches(rng, count, page):
    """Launches with drawn metrics, and what is to be read from them."""
    launches, want = [], []
    names = NAMES if page == "raw" else LABELS
    picked = [names[i] for i in rng.permutation(len(names))[: int(rng.integers(2, len(names) + 1))]]
    number = int(rng.integers(0, 20))
    for _ in range(count):
        block = tuple(int(v) for v in rng.integers(1, 32, 3))
        grid = tuple(int(v) for v in rng.integers(1, 90000, 3))
        kernel, rows, metrics = KERNELS[int(rng.integers(len(KERNELS)))], [], {}
        for section in SECTIONS[: int(rng.integers(1, 4))] if page == "details" else ("",):
            for name, unit in picked:
                text, value = _value(rng, name)
                rows.append((section, name, unit, text))
                metrics[f"{section}: {name}" if section else name] = (value, unit)
        launches.append(Profiled(number, kernel, block, grid, rows))
        want.append(
            {"id": number, "kernel": kernel, "block": block, "grid": grid, "metrics": metrics}
        )
        number += int(rng.integers(1, 4))
    return launches, want


def _fixed():
    """One launch with one of each kind of value."""
    rows = [("", "a.sum", "byte", "1,234,567"), ("", "b.sum", "%", "12.50"), ("", "c.sum", "", "n/a"),
            ("", "d", "", "CachePreferNone"), ("", "e.sum", "inst", "0"), ("", "f", "", ""),
            ("", "g", "", "16 KB, 32 KB")]  # fmt: skip
    values = (1234567.0, 12.5, None, "CachePreferNone", 0.0, None, "16 KB, 32 KB")
    metrics = {r[1]: (v, r[2]) for r, v in zip(rows, values, strict=True)}
    launch = Profiled(0, KERNELS[1], (128, 1, 1), (1080, 2, 1), rows)
    return [launch], [{"id": 0, "kernel": KERNELS[1], "block": (128, 1, 1), "grid": (1080, 2, 1),
                       "metrics": metrics}]  # fmt: skip


def cases(rng):
    launches, want = _fixed()
    yield _case("each kind of value", "raw page", raw(launches), want)
    yield _case("with other lines around", "raw page", around(raw(launches)), want)
    for count in (1, 2, 7):
        launches, want = _launches(rng, count, "raw")
        passes = [f'==PROF== Profiling "k" - {one.id}: 0%....100% - 3 passes' for one in launches]
        yield _case(f"{count} launches", "raw page", around(raw(launches), passes), want)
    launches, want = _launches(rng, 3, "raw")
    yield _case("ncu's lines between the rows", "raw page", _mixed(around(raw(launches))), want)
    twice = [
        Profiled(n, KERNELS[3], metrics=[("", "t.sum", "nsecond", f"{n + 5},000")]) for n in (9, 10)
    ]
    right = [{"id": n, "kernel": "add", "block": (256, 1, 1), "grid": (1024, 1, 1),
              "metrics": {"t.sum": ((n + 5) * 1000.0, "nsecond")}} for n in (9, 10)]  # fmt: skip
    yield _case("the same kernel twice", "raw page", raw(twice), right)
    yield _case("a header alone", "raw page", around(raw([])), [])
    for count in (1, 2, 5):
        for rules in (False, True):
            launches, want = _launches(rng, count, "details")
            label = f"{count} launches{', rules too' if rules else ''}"
            yield _case(label, "details page", around(details(launches, rules)), want)
    launches, want = _launches(rng, 4, "details")
    yield _case("the program's lines between the rows", "details page",
                _mixed(around(details(launches))), want)  # fmt: skip
    for label, text in (
        ("nothing", ""),
        ("no kernel was profiled", "==PROF== Connected\n==WARNING== No kernels were profiled.\n"),
        ("another table", '"Time (%)","Total Time (ns)","Name"\n"100.0","200","gemm"\n'),
    ):
        yield case(label, "refuse", text=text, good=False)


def _mixed(text):
    """The text with a line behind each of its lines that is no row, as a program that prints makes it."""
    others = ("==PROF== 0%....50%....100% - 5 passes", "batch done, 8 rows", "")
    lines = (line for n, row in enumerate(text.splitlines()) for line in (row, others[n % 3]))
    return "\n".join(lines)


def _case(label, part, text, want):
    made = case(label, part, text=text)
    made.want = want  # the judge's: the probe gets the text alone
    return made


def probe(solution, text, good=True):
    if not good:
        return refusal(lambda: solution(text))  # noqa: F821
    return solution(text)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    if not isinstance(answer, (list, tuple)):
        expect.wrong("type", "Return a list.", yours=expect.kind(answer), right="a list of dicts")
    expect.that(
        len(answer) == len(case.want),
        "One dict for each launch.",
        yours=len(answer),
        right=len(case.want),
    )
    for got, want in zip(answer, case.want, strict=True):
        _launch(got, want)


def _launch(got, want):
    expect.mapping(got, tuple(want), only=True)
    expect.integer(got["id"], want["id"], "id")
    expect.that(got["kernel"] == want["kernel"], "`kernel` is off.", yours=got["kernel"],
                right=want["kernel"])  # fmt: skip
    for name in ("block", "grid"):
        three = expect.sequence(got[name], ("x", "y", "z"))
        for value, right, axis in zip(three, want[name], "xyz", strict=True):
            expect.integer(value, right, f"{name} {axis}")
    expect.mapping(got["metrics"], tuple(want["metrics"]), only=True)
    for name, (value, unit) in want["metrics"].items():
        mine, mine_unit = expect.sequence(got["metrics"][name], ("value", "unit"))
        if isinstance(value, float) and mine is not None:
            expect.number(mine, value, name, rtol=1e-12)
        else:
            expect.that(mine == value, f"The value of {name} is off.", yours=mine, right=value)
        expect.that(mine_unit == unit, f"The unit of {name} is off.", yours=mine_unit, right=unit)
