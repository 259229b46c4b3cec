"""nsys-command: the command is read as nsys reads it, and compared with the specification."""

from autograder.checks import case, expect
from autograder.checks.oracles import nsight

PARTS = {"recording": 0.5, "capture": 0.25, "refuse": 0.25}
HINTS = (
    "Check first; then collect words: ['nsys', 'profile', f'--trace={...}', ...], the program last.",
    "--sample and --cpuctxsw: both with the same value, process-tree or none.",
    "shlex.join puts quotes where a shell needs them",
)
APIS = ("cuda", "nvtx", "osrt", "cublas", "cudnn")


def _spec(**other):
    base = {
        "program": ["python", "serve.py"],
        "output": "report",
        "trace": ["cuda", "nvtx"],
        "sample_cpu": False,
        "capture": None,
        "nvtx_range": None,
        "sqlite": False,
        "stats": False,
        "overwrite": False,
    }
    return {"spec": base | other}


def cases(rng):
    part, batch = "recording", str(int(rng.integers(1, 200)))
    yield case("two APIs", part, **_spec())
    yield case("with CPU samples", part, **_spec(sample_cpu=True, trace=["cuda", "nvtx", "osrt"]))
    yield case("one API", part, **_spec(trace=[APIS[int(rng.integers(5))]], sqlite=True))
    yield case("no API, samples alone", part, **_spec(trace=[], sample_cpu=True))
    yield case("no API, no samples", part, **_spec(trace=[]))
    yield case("overwrite", part, **_spec(overwrite=True))
    yield case("export and statistics", part, **_spec(sqlite=True, stats=True))
    yield case("statistics", part, **_spec(stats=True))
    options = ["python", "-m", "bench", "--batch", batch, "--output=log.txt", "-s", "none"]
    yield case("a program with options of its own", part, **_spec(program=options, sqlite=True))
    spaces = ["./my server", "--model", "int8 model.onnx", "it's"]
    yield case("spaces and quotes", part, **_spec(program=spaces, output="out dir/run 1"))
    yield case("a shell's special characters", part, **_spec(program=["sh", "-c", "a && b > $X"]))
    for word in (
        "http://host/?n=1&m=2",
        "$HOME/a.py",
        "*.json",
        "a;b",
        "#1",
        "~",
        'say "hi"',
        "C:\\x",
        "",
    ):
        yield case(f"the word {word!r}", part, **_spec(program=["./run", "--data", word]))
    yield case("a file name with $ and '", part, **_spec(output="it's $5 off"))
    for _ in range(3):
        chosen = [api for api in APIS if rng.integers(2)]
        yes = [bool(v) for v in rng.integers(0, 2, 4)]
        yield case("drawn", part, **_spec(trace=chosen, sample_cpu=yes[0], sqlite=yes[1],
                   stats=yes[2], overwrite=yes[3], program=["python", "b.py", batch]))  # fmt: skip
    part = "capture"
    yield case("cudaProfilerApi", part, **_spec(capture="cudaProfilerApi"))
    yield case(
        "cudaProfilerApi, CUDA alone", part, **_spec(capture="cudaProfilerApi", trace=["cuda"])
    )
    yield case("an NVTX range", part, **_spec(capture="nvtx", nvtx_range="decode"))
    yield case("an NVTX range with a space", part,
               **_spec(capture="nvtx", nvtx_range="step 100", trace=["nvtx"]))  # fmt: skip
    bad = (
        ("no program", {"program": []}),
        ("no file name", {"output": ""}),
        ("an API that does not exist", {"trace": ["cuda", "kernel"]}),
        ("an API in capitals", {"trace": ["CUDA"]}),
        ("an API twice", {"trace": ["cuda", "nvtx", "cuda"]}),
        ("a capture that does not exist", {"capture": "cudaProfilerAPI"}),
        ("cudaProfilerApi without cuda", {"capture": "cudaProfilerApi", "trace": ["nvtx", "osrt"]}),
        ("cudaProfilerApi without any", {"capture": "cudaProfilerApi", "trace": []}),
        ("nvtx without nvtx", {"capture": "nvtx", "nvtx_range": "step", "trace": ["cuda"]}),
        ("nvtx without a range", {"capture": "nvtx"}),
        ("a range without nvtx", {"nvtx_range": "step"}),
        ("a range with cudaProfilerApi", {"capture": "cudaProfilerApi", "nvtx_range": "step"}),
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
        got, program = nsight.parse_nsys(answer)
    except nsight.BadCommand as error:
        expect.wrong("values", str(error), yours=answer[:110], right="a command that nsys takes")
    _same("profiled program", program, spec["program"])
    traced = got.pop("--trace", None)
    expect.that(
        traced is not None, "--trace is missing: its default also has opengl.", right="--trace=..."
    )
    _same("traced APIs", sorted(traced.split(",")), sorted(spec["trace"]) or ["none"])
    cpu = "process-tree" if spec["sample_cpu"] else "none"
    for name in ("--sample", "--cpuctxsw"):
        _same(name, got.pop(name, "left out"), cpu)
    _same("--output", got.pop("--output", "left out"), spec["output"])
    _same("--capture-range", got.pop("--capture-range", "none"), spec["capture"] or "none")
    _same("--nvtx-capture", got.pop("--nvtx-capture", None), spec["nvtx_range"])
    _same("--export", got.pop("--export", "none"), "sqlite" if spec["sqlite"] else "none")
    for name, key in (("--stats", "stats"), ("--force-overwrite", "overwrite")):
        _same(name, got.pop(name, "false"), str(spec[key]).lower())


def _same(name, yours, right):
    words = {None: "left out", True: "said", False: "left out"}
    yours, right = (words[v] if v in (None, True, False) else v for v in (yours, right))
    expect.that(yours == right, f"Not as asked for: {name}.", yours=yours, right=right)
