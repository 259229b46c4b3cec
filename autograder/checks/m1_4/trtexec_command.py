"""trtexec-command: the command is read as trtexec reads it, and compared with the specification."""

from autograder.checks import case, expect
from autograder.checks.oracles import trtexec

PARTS = {"one profile": 0.4, "several profiles": 0.2, "precisions and files": 0.15, "refuse": 0.25}
HINTS = (
    "Check everything first; then collect words such as f'--onnx={path}' in a list.",
    "shlex.join puts quotes where a shell needs them",
    "for several profiles: --profile=0, its three shape flags, --profile=1, its three, ...",
)
IMAGE = [-1, 3, 224, 224]


def _spec(inputs, profiles, **other):
    base = {
        "onnx": "model.onnx",
        "engine": "model.plan",
        "inputs": inputs,
        "profiles": profiles,
        "precisions": [],
        "release": 10,
        "workspace_mib": None,
        "timing_cache": None,
        "time_it": False,
    }
    return {"spec": base | other}


def _batches(low, best, high, rest=(3, 224, 224)):
    return {"min": [low, *rest], "opt": [best, *rest], "max": [high, *rest]}


def _ladder(rng):
    a, b, c = sorted(int(v) for v in rng.choice(range(1, 65), 3, replace=False))
    return a, b, c


def cases(rng):
    a, b, c = _ladder(rng)
    yield case(
        "a dynamic batch", "one profile", **_spec({"image": IMAGE}, [{"image": _batches(a, b, c)}])
    )
    two = {"ids": [-1, -1], "mask": [-1, -1], "table": [16, 64]}
    same = {"min": [1, 1], "opt": [a, 64], "max": [c, 256]}
    other = {"min": [1, 1], "opt": [a, 64], "max": [c, 512]}
    yield case(
        "two dynamic inputs, one static",
        "one profile",
        **_spec(two, [{"ids": same, "mask": other}]),
    )
    named = {"ids": same, "mask": other, "table": dict.fromkeys(("min", "opt", "max"), [16, 64])}
    yield case("a static input named in the profile", "one profile", **_spec(two, [named]))
    yield case(
        "min, opt and max alike",
        "one profile",
        **_spec({"image": IMAGE}, [{"image": _batches(8, 8, 8)}]),
    )
    yield case(
        "a colon in the name",
        "one profile",
        **_spec({"Input:0": [-1, 4]}, [{"Input:0": _batches(a, b, c, (4,))}]),
    )
    line = {"min": [1, a], "opt": [1, b], "max": [1, c]}
    yield case("a dynamic length", "one profile", **_spec({"ids": [1, -1]}, [{"ids": line}]))
    yield case("no dynamic input", "one profile", **_spec({"x": [1, 8]}, [], time_it=True))
    yield case(
        "timed after the build",
        "one profile",
        **_spec({"image": IMAGE}, [{"image": _batches(a, b, c)}], time_it=True),
    )
    for count in (2, 3):
        profiles = []
        for _ in range(count):
            low, best, high = _ladder(rng)
            one = {"min": [1, low], "opt": [best, best], "max": [high, high + 7]}
            profiles.append({"ids": one, "mask": one})
        yield case(
            f"{count} profiles", "several profiles", **_spec(two, profiles, precisions=["fp16"])
        )
    ready = [{"image": _batches(a, b, c)}]
    yield case(
        "workspace and timing cache",
        "precisions and files",
        **_spec(
            {"image": IMAGE},
            ready,
            workspace_mib=int(rng.integers(64, 9000)),
            timing_cache="tuning.cache",
        ),
    )
    yield case(
        "spaces in file names",
        "precisions and files",
        **_spec(
            {"image": IMAGE},
            ready,
            onnx="my model.onnx",
            engine="out dir/a b.plan",
            timing_cache="t c.bin",
        ),
    )
    yield case(
        "two precisions",
        "precisions and files",
        **_spec({"image": IMAGE}, ready, precisions=["int8", "fp16"]),
    )
    for chosen in (["fp8", "fp16"], ["best", "bf16"], ["int4", "int8"], ["fp16", "bf16", "int8"]):
        yield case(
            " and ".join(chosen),
            "precisions and files",
            **_spec({"image": IMAGE}, ready, precisions=chosen),
        )
    yield case(
        "strongly typed, release 10",
        "precisions and files",
        **_spec({"image": IMAGE}, ready, precisions=["stronglyTyped"]),
    )
    yield case("release 11", "precisions and files", **_spec({"image": IMAGE}, ready, release=11))
    yield from _refusals(a, b, c)


def _refusals(a, b, c):
    image, good = {"image": IMAGE}, {"image": _batches(a, b, c)}
    table = {key: [16, 64, 1] for key in ("min", "opt", "max")}
    lengths = {"ids": [1, -1]}
    single = {"x": [-1, 1]}
    both = {"ids": [-1, -1], "mask": [-1, -1]}
    two = {"min": [1, 1], "opt": [4, 64], "max": [8, 256]}
    bad = (
        ("a name the network lacks", image, [{"images": _batches(a, b, c)}], {}),
        ("a further name the network lacks", image, [good | {"extra": two}], {}),
        ("a dynamic input without shapes", both, [{"ids": two}], {}),
        ("missing in the second profile", both, [{"ids": two, "mask": two}, {"ids": two}], {}),
        ("no profile for a dynamic input", image, [], {}),
        ("min above opt", image, [{"image": _batches(b, a, c)}], {}),
        ("opt above max", image, [{"image": _batches(a, c, b)}], {}),
        ("opt above max in the second dimension", both, [{"ids": two, "mask": two | {"opt": [4, 300]}}], {}),
        ("min above opt in the second profile", image, [good, {"image": _batches(9, 8, 10)}], {}),
        ("a static dimension changed", image, [{"image": _batches(a, b, c, (3, 224, 256))}], {}),
        ("a static dimension that grows", image,
         [{"image": {"min": [1, 3, 224, 224], "opt": [1, 3, 224, 224], "max": [1, 4, 224, 224]}}], {}),
        ("a static input with other dims", image | {"table": [16, 64]},
         [good | {"table": {"min": [16, 64], "opt": [16, 64], "max": [32, 64]}}], {}),
        ("a dimension too few", image, [{"image": _batches(a, b, c, (3, 224))}], {}),
        ("a dimension too few in max", image, [{"image": _batches(a, b, c) | {"max": [c, 3, 224]}}], {}),
        ("a dimension too few in min", image, [{"image": _batches(a, b, c) | {"min": [a, 3, 224]}}], {}),
        ("a dimension too many in opt", image,
         [{"image": _batches(a, b, c) | {"opt": [b, 3, 224, 224, 1]}}], {}),
        ("min above opt in the second dimension", both, [{"ids": two, "mask": two | {"min": [1, 65]}}], {}),
        ("a batch of 0", image, [{"image": _batches(0, b, c)}], {}),
        ("-1 in a profile", image, [{"image": _batches(-1, b, c)}], {}),
        ("fp8 with int8", image, [good], {"precisions": ["fp8", "int8"]}),
        ("int8 with fp16 and fp8", image, [good], {"precisions": ["int8", "fp16", "fp8"]}),
        ("strongly typed with fp16", image, [good], {"precisions": ["fp16", "stronglyTyped"]}),
        ("strongly typed with best", image, [good], {"precisions": ["stronglyTyped", "best"]}),
        ("an unknown precision", image, [good], {"precisions": ["fp12"]}),
        ("fp16 for release 11", image, [good], {"precisions": ["fp16"], "release": 11}),
        ("int8 for release 11", image, [good], {"precisions": ["int8"], "release": 11}),
        ("release 9", image, [good], {"release": 9}),
        ("release 12", image, [good], {"release": 12}),
        ("stronglyTyped for release 11", image, [good], {"precisions": ["stronglyTyped"], "release": 11}),
        ("a precision in other letters", image, [good], {"precisions": ["FP16"]}),
        ("a static dimension that is smaller in min", image,
         [{"image": _batches(a, b, c) | {"min": [a, 3, 112, 224]}}], {}),
        ("a static dimension that is another in opt", image,
         [{"image": _batches(a, b, c) | {"min": [a, 3, 112, 224], "opt": [b, 3, 160, 224]}}], {}),
        ("a name the network lacks in the second profile", image, [good, good | {"extra": two}], {}),
        ("opt above max in the second profile", image, [good, {"image": _batches(a, c, b)}], {}),
        ("a static dimension changed in the second profile", image,
         [good, {"image": _batches(a, b, c, (3, 224, 256))}], {}),
        ("a dimension too few in the second profile", image,
         [good, {"image": _batches(a, b, c, (3, 224))}], {}),
        ("a static input with a dimension too many", image | {"table": [16, 64]},
         [good | {"table": table}], {}),
        ("a static dimension of 1 that grows", single, [{"x": _batches(a, b, c, (2,))}], {}),
        ("no profile for a dynamic second dimension", lengths, [], {}),
        ("a dynamic second dimension without shapes", lengths | image, [good], {}),
    )  # fmt: skip
    bad += tuple(
        (f"{name} for release 11", image, [good], {"precisions": [name], "release": 11})
        for name in ("bf16", "fp8", "int4", "best")
    )
    bad += tuple(
        (f"strongly typed with {name}", image, [good], {"precisions": [name, "stronglyTyped"]})
        for name in ("bf16", "int8", "fp8", "int4")
    )
    for label, inputs, profiles, other in bad:
        yield case(label, "refuse", **_spec(inputs, profiles, **other), good=False)


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
        got = trtexec.parse_command(answer)
    except trtexec.BadCommand as error:
        expect.wrong("values", str(error), yours=answer[:110], right="a command that trtexec takes")
    flags = {"--onnx": spec["onnx"], "--saveEngine": spec["engine"]}
    if spec["timing_cache"] is not None:
        flags["--timingCacheFile"] = spec["timing_cache"]
    pool = got["flags"].pop("--memPoolSize", None)
    _same("flags", got["flags"], flags)
    _workspace(pool, spec["workspace_mib"])
    wanted = set(spec["precisions"]) | (set() if spec["time_it"] else {"skipInference"})
    _same("switches", sorted(got["switches"]), sorted(wanted))
    _profiles(got["profiles"], spec)


def _same(name, yours, right):
    expect.that(yours == right, f"The {name} are off.", yours=yours, right=right)


def _workspace(pool, wanted):
    if wanted is None:
        expect.that(pool is None, "No --memPoolSize was asked for.", yours=pool, right="none")
        return
    expect.that(pool is not None, "--memPoolSize is missing.", right=f"workspace:{wanted}")
    try:
        size = trtexec.mebibytes(pool)
    except trtexec.BadCommand as error:
        expect.wrong("values", str(error), yours=pool, right=f"workspace:{wanted}")
    expect.that(
        abs(size - wanted) < 1e-6,
        "The workspace is off (MiB).",
        yours=pool,
        right=f"workspace:{wanted}",
    )


def _profiles(got, spec):
    _same("number of profiles", len(got), len(spec["profiles"]))
    for i, (mine, theirs) in enumerate(zip(spec["profiles"], got, strict=True)):
        for flag, key in zip(trtexec.SHAPES, ("min", "opt", "max"), strict=True):
            right = {name: list(shapes[key]) for name, shapes in mine.items()}
            yours = theirs[flag]
            for name, dims in spec["inputs"].items():
                if -1 not in dims:  # a static input may be left out, or be given as it is
                    right.pop(name, None)
                    expect.that(
                        yours.pop(name, dims) == list(dims),
                        f"{flag}: {name} is static.",
                        right=dims,
                    )
            expect.that(yours == right, f"Profile {i}: {flag} is off.", yours=yours, right=right)
