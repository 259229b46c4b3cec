"""Answers to nsys-command."""

import shlex

from autograder.checks.bank import right, wrong

NAMES = ("cuda", "nvtx", "osrt", "cublas", "cudnn")


def _refuse(spec, skip=()):
    trace, capture, named = spec["trace"], spec["capture"], spec["nvtx_range"]
    need = {"cudaProfilerApi": "cuda", "nvtx": "nvtx"}
    rules = {
        "program": not spec["program"],
        "output": not spec["output"],
        "unknown": any(api not in NAMES for api in trace),
        "twice": len(trace) != len(set(trace)),
        "capture": capture is not None and capture not in need,
        "traced": capture in need and need[capture] not in trace,
        "named": capture == "nvtx" and not named,
        "stray": bool(named) and capture != "nvtx",
    }
    if any(hit for rule, hit in rules.items() if rule not in skip):
        raise ValueError("refused")


def _options(spec):
    cpu = "process-tree" if spec["sample_cpu"] else "none"
    options = {"--trace": ",".join(spec["trace"]) or "none", "--sample": cpu, "--cpuctxsw": cpu}
    options["--output"] = spec["output"]
    if spec["capture"]:
        options["--capture-range"] = spec["capture"]
    if spec["nvtx_range"]:
        options["--nvtx-capture"] = spec["nvtx_range"]
    for flag, key, value in (("--export", "sqlite", "sqlite"), ("--stats", "stats", "true"),
                             ("--force-overwrite", "overwrite", "true")):  # fmt: skip
        if spec[key]:
            options[flag] = value
    return options


def _line(spec, skip=(), edit=None, join=shlex.join):
    _refuse(spec, skip)
    options = _options(spec)
    if edit:
        edit(options)
    words = [f"{name}={value}" for name, value in options.items()]
    return join(["nsys", "profile", *words, *spec["program"]])


@right("long options, shlex.join")
def joined(spec):
    return _line(spec)


@right("short options and all defaults said")
def short(spec):
    _refuse(spec)
    said = {"-c": "none", "--export": "none", "--stats": "false", "-f": "false"}
    names = {"--trace": "-t", "--sample": "-s", "--output": "-o", "--force-overwrite": "-f",
             "--capture-range": "-c", "--nvtx-capture": "-p"}  # fmt: skip
    said |= {names.get(name, name): value for name, value in _options(spec).items()}
    line = "/usr/local/bin/nsys profile"
    for name, value in reversed(said.items()):
        line += f" {name}{'=' if name.startswith('--') else ' '}{shlex.quote(value)}"
    return line + " " + " ".join(shlex.quote(word) for word in spec["program"])


@right("continued lines, values as words of their own")
def continued(spec):
    _refuse(spec)
    lines = ["nsys profile"]
    lines += [f"{name} {shlex.quote(value)}" for name, value in _options(spec).items()]
    return " \\\n  ".join([*lines, shlex.join(spec["program"])]) + "\n"


@right("traced APIs in another order")
def sorted_apis(spec):
    def edit(options):
        options["--trace"] = ",".join(sorted(spec["trace"], reverse=True)) or "none"

    return _line(spec, edit=edit)


@wrong(
    "options-behind-the-program",
    "What stands behind the program belongs to the program: options come first.",
)
def behind(spec):
    _refuse(spec)
    words = [f"{name}={value}" for name, value in _options(spec).items()]
    return shlex.join(["nsys", "profile", *spec["program"], *words])


@wrong("overwrite-as-a-switch", "--force-overwrite of nsys needs a value: =true.")
def switch(spec):
    _refuse(spec)
    words = [f"{name}={value}" for name, value in _options(spec).items()]
    words = ["--force-overwrite" if w.startswith("--force") else w for w in words]
    return shlex.join(["nsys", "profile", *words, *spec["program"]])


@wrong("short-with-equals", "A short option and its value are two words: -t cuda, not -t=cuda.")
def short_equals(spec):
    return _line(spec).replace("--trace=", "-t=")


@wrong("no-profile", "Behind nsys stands the command: nsys profile.")
def no_profile(spec):
    return _line(spec).replace("nsys profile ", "nsys ", 1)


@wrong(
    "unquoted",
    "A name with a space is two words to a shell, and && or $ mean something to it: quote.",
)
def unquoted(spec):
    return _line(spec, join=" ".join)


@wrong(
    "no-context-switches-said",
    "With --sample=none the default of --cpuctxsw is process-tree: say both.",
)
def no_switches(spec):
    return _line(spec, edit=lambda options: options.pop("--cpuctxsw"))


@wrong("no-sample-said", "The default of --sample is process-tree: say none where none is asked.")
def no_sample(spec):
    def edit(options):
        if not spec["sample_cpu"]:
            options.pop("--sample")

    return _line(spec, edit=edit)


@wrong("sample-inverted", "sample_cpu=True asks for samples: process-tree.")
def inverted(spec):
    return _line(dict(spec, sample_cpu=not spec["sample_cpu"]))


@wrong(
    "sample-cpu-word", "--sample takes process-tree, system-wide or none; cpu is of old releases."
)
def old_sample(spec):
    def edit(options):
        options["--sample"] = "cpu" if spec["sample_cpu"] else "none"

    return _line(spec, edit=edit)


@wrong("system-wide", "The program alone was asked for: process-tree, not system-wide.")
def system(spec):
    def edit(options):
        if spec["sample_cpu"]:
            options |= {"--sample": "system-wide", "--cpuctxsw": "system-wide"}

    return _line(spec, edit=edit)


@wrong(
    "empty-trace",
    "Nothing to trace is --trace=none: an empty value, or no --trace, is something else.",
)
def empty_trace(spec):
    def edit(options):
        if not spec["trace"]:
            options.pop("--trace")

    return _line(spec, edit=edit)


@wrong("trace-twice", "One --trace with commas: nsys refuses an option that stands twice.")
def trace_twice(spec):
    _refuse(spec)
    options = _options(spec)
    options.pop("--trace")
    words = [f"--trace={api}" for api in spec["trace"] or ["none"]]
    words += [f"{name}={value}" for name, value in options.items()]
    return shlex.join(["nsys", "profile", *words, *spec["program"]])


@wrong(
    "range-as-capture", "--capture-range=nvtx names the trigger; --nvtx-capture names the range."
)
def range_as_capture(spec):
    def edit(options):
        if spec["nvtx_range"]:
            options["--capture-range"] = options.pop("--nvtx-capture")

    return _line(spec, edit=edit)


@wrong(
    "stats-for-export", "--stats=true prints tables; the database is asked for by --export=sqlite."
)
def stats_for_export(spec):
    def edit(options):
        if options.pop("--export", None):
            options["--stats"] = "true"

    return _line(spec, edit=edit)


@wrong(
    "sqlite-as-output", "--output names the report; --export=sqlite makes the database beside it."
)
def as_output(spec):
    def edit(options):
        if options.pop("--export", None):
            options["--output"] += ".sqlite"

    return _line(spec, edit=edit)


@wrong(
    "always-overwritten", "Overwrite only where it is asked: a recording may be all that there is."
)
def always(spec):
    return _line(dict(spec, overwrite=True))


@wrong("capture-not-checked", "nsys refuses a capture whose API is not traced: raise ValueError.")
def not_traced(spec):
    return _line(spec, skip=("traced",))


@wrong("capture-nvtx-not-checked", "The nvtx capture needs nvtx among the traced APIs as well.")
def nvtx_not_traced(spec):
    return _line(spec, skip=("traced",) if spec["capture"] == "nvtx" else ())


@wrong(
    "range-not-checked",
    "A range and capture nvtx belong together: one without the other is an error.",
)
def range_not_checked(spec):
    return _line(spec, skip=("named", "stray"))


@wrong("stray-range-dropped", "A range without capture nvtx is an error in the specification.")
def stray(spec):
    return _line(dict(spec, nvtx_range=spec["nvtx_range"] if spec["capture"] == "nvtx" else None))


@wrong("apis-not-checked", "An API that nsys does not know must raise ValueError.")
def unknown(spec):
    return _line(spec, skip=("unknown",))


@wrong("twice-not-checked", "An API that is named twice is an error in the specification.")
def twice(spec):
    return _line(spec, skip=("twice",))


@wrong("no-program-accepted", "Without a program there is nothing to profile.")
def no_program(spec):
    return _line(spec, skip=("program", "output"))


@wrong("no-refusal", "A specification that nsys cannot fulfil must raise ValueError.")
def unchecked(spec):
    return _line(
        spec, skip=("program", "output", "unknown", "twice", "capture", "traced", "named", "stray")
    )


@wrong("a-list", "Return one string for a shell.")
def listed(spec):
    return shlex.split(_line(spec))


def _each(spec, quote):
    return " ".join(map(quote, shlex.split(joined(spec))))


@right("every word in double quotes, with backslashes")
def double_quoted(spec):
    marks = {c: "\\" + c for c in '"\\$`'}
    return _each(spec, lambda word: '"' + word.translate(str.maketrans(marks)) + '"')


@right("every word in single quotes")
def single_quoted(spec):
    return _each(spec, lambda word: "'" + word.replace("'", "'\\''") + "'")


@wrong("double-quotes-around-all", 'Inside double quotes a shell still reads $, a backslash and ".')
def bare_double(spec):
    return _each(spec, lambda word: f'"{word}"')


@wrong(
    "quotes-for-spaces-alone",
    "More than spaces needs quotes: & ; | < > ( ) $ * ? # ~ and nothing at all.",
)
def for_spaces(spec):
    return _each(spec, lambda word: shlex.quote(word) if set(word) & set(" '\"\\") else word)


@wrong("python-s-quotes", "repr() quotes for Python, not for a shell.")
def by_repr(spec):
    return _each(spec, lambda word: repr(word) if not word.startswith("-") else shlex.quote(word))


@wrong(
    "backslash-before-spaces",
    "A backslash before spaces and quotes leaves the other characters bare.",
)
def before_spaces(spec):
    return _each(spec, lambda word: "".join("\\" + c if c in " '\"\\" else c for c in word))


@wrong("empty-words-lost", "An empty word of the program needs quotes: ''.")
def empty_lost(spec):
    return _each(spec, lambda word: word and shlex.quote(word))
