"""ncu-command: the command is read as ncu reads it; the kernel filter is tried on names."""

from autograder.checks import case, expect
from autograder.checks.oracles import nsight

PARTS = {"kernels and launches": 0.4, "what is collected": 0.35, "refuse": 0.25}
HINTS = (
    "One --section for each section; one --metrics with commas between the names.",
    "Several kernels: --kernel-name=regex:^(a|b)$, which shlex.join quotes for you.",
    "--force-overwrite is a switch in ncu: no =true.",
)
SETS = ("basic", "detailed", "full", "roofline")
SECTIONS = ("SpeedOfLight", "Occupancy", "LaunchStats", "MemoryWorkloadAnalysis", "WarpStateStats")
METRICS = (
    "gpu__time_duration.sum",
    "dram__bytes_read.sum",
    "sm__inst_executed_pipe_tensor_op_imma.sum",
    "sm__warps_active.avg.pct_of_peak_sustained_active",
)
# In the profiled program of every case: what a filter must tell apart.
DECOYS = (
    "gemm",
    "gemm_int8",
    "int8_gemm",
    "igemm",
    "quantize",
    "quantize_rows",
    "dequantize",
    "_x",
)

SPECIAL = [
    "./run",
    "http://host/?n=1&m=2",
    "$HOME",
    "*.json",
    "a;b",
    "#1",
    "~",
    'say "hi"',
    "it's",
    "",
]


def _spec(**other):
    base = {
        "program": ["python", "serve.py"],
        "kernels": [],
        "skip": 0,
        "count": None,
        "set": None,
        "sections": [],
        "metrics": [],
        "children": False,
        "report": None,
        "overwrite": False,
        "page": "raw",
    }
    return {"spec": base | other}


def cases(rng):
    part = "kernels and launches"
    skip, count = int(rng.integers(1, 500)), int(rng.integers(1, 50))
    yield case("all kernels", part, **_spec())
    for name in ("gemm", "quantize"):
        yield case(f"kernel {name}", part, **_spec(kernels=[name], count=count))
    yield case("two kernels", part, **_spec(kernels=["gemm", "quantize"], skip=skip, count=1))
    yield case("three kernels", part,
               **_spec(kernels=["quantize", "int8_gemm", "dequantize"], children=True))  # fmt: skip
    chosen = [str(v) for v in rng.choice(DECOYS, 4, replace=False)]
    yield case("four drawn kernels", part, **_spec(kernels=chosen, skip=skip))
    yield case("launches of child processes", part, **_spec(children=True, skip=skip, count=count))
    options = ["python", "-m", "bench", "-k", "3", "--csv", "--launch-count=9"]
    yield case("a program with options of its own", part, **_spec(program=options, count=count))
    yield case("spaces in the program", part, **_spec(program=["./my server", "int8 model.onnx"]))
    yield case("a shell's special characters", part, **_spec(program=SPECIAL, kernels=["gemm"]))
    part = "what is collected"
    for name in SETS:
        yield case(f"set {name}", part, **_spec(set=name, kernels=["gemm"]))
    yield case("a set and a section", part, **_spec(set="basic", sections=["WarpStateStats"]))
    some = [str(v) for v in rng.choice(SECTIONS, 3, replace=False)]
    yield case("three sections", part, **_spec(sections=some, page="details"))
    yield case("two metrics", part, **_spec(metrics=list(METRICS[:2]), page="details"))
    few = [str(v) for v in rng.choice(METRICS, 3, replace=False)]
    yield case("three drawn metrics", part, **_spec(metrics=few))
    yield case("sections and metrics", part, **_spec(sections=some[:2], metrics=few[:1]))
    yield case("a report file", part, **_spec(report="gemm report", set="full"))
    yield case("a report file, overwritten", part,
               **_spec(report="out/r1", overwrite=True, metrics=few))  # fmt: skip
    for _ in range(2):
        yield case("drawn", part, **_spec(
            kernels=chosen[: int(rng.integers(0, 4))], sections=some[: int(rng.integers(0, 3))],
            metrics=few[: int(rng.integers(0, 3))], children=bool(rng.integers(2)), skip=skip,
            report=(None, "r")[int(rng.integers(2))]))  # fmt: skip
    bad = (
        ("no program", {"program": []}),
        ("a negative skip", {"skip": -1}),
        ("0 launches", {"count": 0}),
        ("a negative count", {"count": -3}),
        ("a set that does not exist", {"set": "all"}),
        ("a page that does not exist", {"page": "csv"}),
        ("a page that does not exist, with a report", {"page": "csv", "report": "r"}),
        ("overwrite without a report", {"overwrite": True}),
        ("a comma in a metric", {"metrics": ["dram__bytes_read.sum,dram__bytes_write.sum"]}),
        ("a space in a metric", {"metrics": ["dram__bytes_read.sum", "dram__bytes_write.sum x"]}),
        ("an empty metric", {"metrics": [""]}),
        ("an empty section", {"sections": [""]}),
        ("a space in a section", {"sections": ["Launch Stats"]}),
        ("a comma in a section", {"sections": ["Occupancy,LaunchStats"]}),
        ("a kernel with parameters", {"kernels": ["gemm(int *, int)"]}),
        ("a template's name", {"kernels": ["gemm", "gemm<int>"]}),
        ("an empty kernel name", {"kernels": [""]}),
    )
    for label, other in bad:
        yield case(label, "refuse", **_spec(**other), good=False)


def probe(solution, spec, good=True):
    if not good:
        return refusal(lambda: solution(spec))  # noqa: F821
    return solution(spec)


def judge(case, answer):
    if not case.inputs.get("good", True):
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    spec = case.spec
    if not isinstance(answer, str):
        expect.wrong("type", "Return one string.", yours=expect.kind(answer), right="a str")
    try:
        got, program = nsight.parse_ncu(answer)
        one = {name: values[0] for name, values in got.items()}
        through = nsight.matched(one.get("--kernel-name"), DECOYS)
    except nsight.BadCommand as error:
        expect.wrong("values", str(error), yours=answer[:110], right="a command that ncu takes")
    _same("profiled program", program, spec["program"])
    right = [name for name in DECOYS if not spec["kernels"] or name in spec["kernels"]]
    _same(f"kernel filter (tried on {', '.join(DECOYS)})", through, right)
    for name, key, default in (("--launch-skip", "skip", "0"), ("--launch-count", "count", None)):
        wanted = default if spec[key] is None else str(spec[key])
        _same(name, one.get(name, default), wanted)
    children = "all" if spec["children"] else "application-only"
    _same("--target-processes", one.get("--target-processes", "left out"), children)
    _same("--set", one.get("--set"), spec["set"])
    _same("list of sections", sorted(got.get("--section", [])), sorted(spec["sections"]))
    metrics = one["--metrics"].split(",") if "--metrics" in one else []
    _same("list of metrics", sorted(metrics), sorted(spec["metrics"]))
    _same("--export", one.get("--export"), spec["report"])
    _same("--force-overwrite", "--force-overwrite" in one, spec["overwrite"])
    console = spec["report"] is None
    _same("--csv", "--csv" in one, console)
    _same("--page", one.get("--page"), spec["page"] if console else None)


def _same(name, yours, right):
    words = {None: "left out", True: "said", False: "left out"}
    yours, right = (words[v] if v in (None, True, False) else v for v in (yours, right))
    expect.that(yours == right, f"Not as asked for: {name}.", yours=yours, right=right)
