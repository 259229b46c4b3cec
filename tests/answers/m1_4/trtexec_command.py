"""Answers to trtexec-command."""

import shlex

from autograder.checks.bank import right, wrong

NAMES = ("fp16", "bf16", "int8", "fp8", "int4", "best", "stronglyTyped")


def _refuse(spec, skip=()):
    chosen, inputs = set(spec["precisions"]), spec["inputs"]
    dynamic = {name for name, dims in inputs.items() if -1 in dims}
    rules = {
        "release": spec["release"] not in (10, 11),
        "unknown": bool(chosen - set(NAMES)),
        "eleven": spec["release"] == 11 and bool(chosen),
        "fp8": {"fp8", "int8"} <= chosen,
        "typed": "stronglyTyped" in chosen and len(chosen) > 1,
        "none": bool(dynamic) and not spec["profiles"],
    }
    for shapes in spec["profiles"]:
        rules["name"] = rules.get("name") or bool(set(shapes) - set(inputs))
        rules["missing"] = rules.get("missing") or bool(dynamic - set(shapes))
        if shapes is not spec["profiles"][0] and "later" in skip:
            continue
        for name, three in shapes.items():
            if name not in inputs or ("still" in skip and name not in dynamic):
                continue
            low, best, high = three["min"], three["opt"], three["max"]
            if not len(low) == len(best) == len(high) == len(inputs[name]):
                rules["rank"] = True
                continue
            for d, a, b, c in zip(inputs[name], low, best, high, strict=False):
                rules["positive"] = rules.get("positive") or min(a, b, c) < 1
                rules["low"] = rules.get("low") or a > b
                rules["high"] = rules.get("high") or b > c
                fixed = d not in (-1, 1) if "ones" in skip else d != -1
                rules["static"] = rules.get("static") or (fixed and not a == b == c == d)
    broken = [rule for rule, hit in rules.items() if hit and rule not in skip]
    if broken:
        raise ValueError(", ".join(broken))


def _shape(shapes, key, sep="x", colon=":"):
    return ",".join(name + colon + sep.join(map(str, three[key])) for name, three in shapes.items())


def _words(spec, keys=("min", "opt", "max"), number=True, sep="x", colon=":", files=True):
    words = []
    for i, shapes in enumerate(spec["profiles"]):
        if number:
            words.append(f"--profile={i}")
        for flag, key in zip(("min", "opt", "max"), keys, strict=False):
            words.append(f"--{flag}Shapes={_shape(shapes, key, sep, colon)}")
    words += [f"--{name}" for name in spec["precisions"]]
    if spec["workspace_mib"] is not None:
        words.append(f"--memPoolSize=workspace:{spec['workspace_mib']}")
    if spec["timing_cache"] is not None:
        words.append(f"--timingCacheFile={spec['timing_cache']}")
    if not spec["time_it"]:
        words.append("--skipInference")
    if files:
        words += [f"--onnx={spec['onnx']}", f"--saveEngine={spec['engine']}"]
    return words


def _answer(spec, skip=(), edit=None, **options):
    _refuse(spec, skip)
    words = _words(spec, **options)
    return shlex.join(["trtexec", *(edit(words) if edit else words)])


@right("shlex.join, --profile always")
def joined(spec):
    return _answer(spec)


@right("quoted by hand, no --profile for one")
def by_hand(spec):
    _refuse(spec)
    line = f'trtexec --saveEngine="{spec["engine"]}" --onnx="{spec["onnx"]}"'
    if not spec["time_it"]:
        line += " --skipInference"
    for i, shapes in reversed(list(enumerate(spec["profiles"]))):
        if len(spec["profiles"]) > 1:
            line += f" --profile={i}"
        shapes = dict(reversed(shapes.items()))
        for key in ("max", "min", "opt"):
            line += f" --{key}Shapes='{_shape(shapes, key)}'"
    if spec["timing_cache"] is not None:
        line += f" '--timingCacheFile={spec['timing_cache']}'"
    if spec["workspace_mib"] is not None:
        line += f" --memPoolSize=workspace:{spec['workspace_mib']}M"
    return line + "".join(f" --{name}" for name in reversed(spec["precisions"]))


@right("static inputs named too, over several lines")
def with_static(spec):
    _refuse(spec)
    static = {
        name: dict.fromkeys(("min", "opt", "max"), dims)
        for name, dims in spec["inputs"].items()
        if -1 not in dims
    }
    full = dict(spec, profiles=[{**static, **shapes} for shapes in spec["profiles"]])
    return "/usr/src/tensorrt/bin/trtexec \\\n  " + " \\\n  ".join(map(shlex.quote, _words(full)))


@wrong(
    "space-for-equals",
    "trtexec joins a flag and its value by '=': `--onnx model.onnx` is two unknown words.",
)
def spaces(spec):
    _refuse(spec)
    return "trtexec " + " ".join(
        part
        for word in _words(spec)
        for part in (word.partition("=")[0], shlex.quote(word.partition("=")[2]))
        if part != "''"
    )


@wrong("workspace-flag", "--workspace is gone since release 10: write --memPoolSize=workspace:N.")
def old_workspace(spec):
    return _answer(
        spec,
        edit=lambda words: [w.replace("--memPoolSize=workspace:", "--workspace=") for w in words],
    )


@wrong("build-only", "--buildOnly was replaced by --skipInference.")
def build_only(spec):
    return _answer(
        spec, edit=lambda words: [w.replace("--skipInference", "--buildOnly") for w in words]
    )


@wrong("explicit-batch", "--explicitBatch has had no effect since 8.2; leave it out.")
def explicit_batch(spec):
    return _answer(spec, edit=lambda words: [*words, "--explicitBatch"])


@wrong("skip-inverted", "You skip inference when the engine is to be timed, and time it otherwise.")
def inverted(spec):
    return _answer(dict(spec, time_it=not spec["time_it"]))


@wrong("unquoted", "A file name with a space is two words to a shell: quote it.")
def unquoted(spec):
    _refuse(spec)
    return "trtexec " + " ".join(_words(spec))


@wrong("commas-in-dims", "Dimensions are joined by x; a comma starts the next input.")
def commas(spec):
    return _answer(spec, sep=",")


@wrong("equals-in-shape", "A name and its dims are joined by a colon: name:1x3.")
def equals(spec):
    return _answer(spec, colon="=")


@wrong(
    "min-max-swapped", "You write the max shapes as --minShapes and the min shapes as --maxShapes."
)
def swapped(spec):
    return _answer(spec, keys=("max", "opt", "min"))


@wrong("opt-is-max", "You tune for the largest shape: --optShapes is the opt of the specification.")
def opt_max(spec):
    return _answer(spec, keys=("min", "max", "max"))


@wrong(
    "no-profile-index", "Several profiles need --profile=0, --profile=1 ... each before its shapes."
)
def no_index(spec):
    return _answer(spec, number=False)


@wrong("profiles-from-1", "Profile indices count up from 0.")
def from_one(spec):
    return _answer(
        spec,
        edit=lambda words: [
            f"--profile={int(w[10:]) + 1}" if w.startswith("--profile=") else w for w in words
        ],
    )


@wrong("first-profile-only", "You write the first profile alone.")
def first_only(spec):
    _refuse(spec)
    return shlex.join(["trtexec", *_words(dict(spec, profiles=spec["profiles"][:1]))])


@wrong(
    "flags-apart-from-profile", "A profile's shape flags must stand directly behind its --profile."
)
def apart(spec):
    def edit(words):
        loose = [w for w in words if w.startswith("--profile=")]
        return loose + [w for w in words if w not in loose]

    return _answer(spec, edit=edit)


@wrong("gib-for-mib", "--memPoolSize counts in MiB when no unit is given; you converted to bytes.")
def bytes_pool(spec):
    more = None if spec["workspace_mib"] is None else spec["workspace_mib"] * 2**20
    return _answer(dict(spec, workspace_mib=more))


@wrong("pool-not-named", "--memPoolSize names the pool: workspace:N.")
def unnamed_pool(spec):
    return _answer(spec, edit=lambda words: [w.replace("=workspace:", "=") for w in words])


@wrong("pool-always", "A workspace of None means no --memPoolSize.")
def pool_always(spec):
    return _answer(dict(spec, workspace_mib=spec["workspace_mib"] or 1024))


@wrong("cache-forgotten", "You leave out --timingCacheFile.")
def no_cache(spec):
    return _answer(dict(spec, timing_cache=None))


@wrong(
    "first-precision-only",
    "You write the first precision alone; all that are listed are asked for.",
)
def one_precision(spec):
    _refuse(spec)
    return _answer(dict(spec, precisions=spec["precisions"][:1]))


@wrong("precision-value", "A precision is a switch of its own (--fp16), not --precision=fp16.")
def precision_value(spec):
    return _answer(
        spec, edit=lambda words: [f"--precision={w[2:]}" if w[2:] in NAMES else w for w in words]
    )


@wrong("always-fp16", "You add --fp16 unasked.")
def always_fp16(spec):
    return _answer(spec, edit=lambda words: words if "--fp16" in words else [*words, "--fp16"])


@wrong("typed-for-11", "Release 11 is always strongly typed: --stronglyTyped was not asked for.")
def typed_11(spec):
    return _answer(
        spec, edit=lambda words: words + (["--stronglyTyped"] if spec["release"] == 11 else [])
    )


@wrong(
    "name-cut-at-first-colon", "A name may hold a colon; it is split from its dims at the last one."
)
def cut_name(spec):
    _refuse(spec)
    cut = [
        {name.partition(":")[0]: three for name, three in shapes.items()}
        for shapes in spec["profiles"]
    ]
    return shlex.join(["trtexec", *_words(dict(spec, profiles=cut))])


@wrong("no-program", "The command starts with trtexec.")
def no_program(spec):
    return _answer(spec).removeprefix("trtexec ")


@wrong("nothing-refused", "You refuse no specification; impossible ones raise ValueError.")
def anything(spec):
    return shlex.join(["trtexec", *_words(spec)])


@wrong("names-not-checked", "You accept names that the network lacks.")
def any_name(spec):
    return _answer(spec, skip=("name",))


@wrong("missing-inputs-accepted", "Every profile needs every dynamic input.")
def missing(spec):
    return _answer(spec, skip=("missing",))


@wrong("no-profile-accepted", "Dynamic inputs without any profile cannot be built.")
def none(spec):
    return _answer(spec, skip=("none",))


@wrong("order-of-opt-and-max", "You do not compare opt with max.")
def opt_above_max(spec):
    return _answer(spec, skip=("high",))


@wrong("order-of-min-and-opt", "You do not compare min with opt.")
def min_above_opt(spec):
    return _answer(spec, skip=("low",))


@wrong("static-may-change", "A static dimension is the network's in min, opt and max.")
def static(spec):
    return _answer(spec, skip=("static",))


@wrong(
    "first-dimension-only", "Compare min, opt and max in every dimension, not in the batch alone."
)
def batch_only(spec):
    _refuse(spec, skip=("low", "high"))
    for shapes in spec["profiles"]:
        for three in shapes.values():
            if not three["min"][0] <= three["opt"][0] <= three["max"][0]:
                raise ValueError("order")
    return shlex.join(["trtexec", *_words(spec)])


@wrong("ranks-not-compared", "Shapes need as many dimensions as the network declares.")
def ranks(spec):
    return _answer(spec, skip=("rank",))


@wrong("zero-accepted", "Dimensions below 1 are refused.")
def zero(spec):
    return _answer(spec, skip=("positive",))


@wrong(
    "contradictions-accepted",
    "fp8 with int8, and stronglyTyped with any other, contradict each other.",
)
def contradictions(spec):
    return _answer(spec, skip=("fp8", "typed"))


@wrong(
    "int8-with-fp16-refused", "int8 with fp16 is no contradiction: the builder may choose either."
)
def too_strict(spec):
    if len(spec["precisions"]) > 1:
        raise ValueError("one precision only")
    return _answer(spec)


@wrong("release-11-like-10", "Release 11 has no precision flags: refuse them.")
def eleven(spec):
    return _answer(spec, skip=("eleven",))


@wrong("unknown-precisions", "fp12 is no precision: refuse what is not on the list.")
def unknown(spec):
    return _answer(spec, skip=("unknown",))


@wrong("a-list-of-words", "Return one string, quoted for a shell, not a list of words.")
def a_list(spec):
    _refuse(spec)
    return ["trtexec", *_words(spec)]


@wrong("later-releases-accepted", "You accept every release from 10 on; only 10 and 11 are known.")
def later(spec):
    return _answer(dict(spec, release=min(spec["release"], 11)))


@wrong(
    "typed-accepted-for-11",
    "You let stronglyTyped through in release 11: there every precision flag is refused.",
)
def typed_in_eleven(spec):
    if spec["release"] == 11:
        rest = [name for name in spec["precisions"] if name != "stronglyTyped"]
        return _answer(dict(spec, precisions=rest))
    return _answer(spec)


@wrong(
    "typed-with-some-accepted",
    "You refuse stronglyTyped with fp16 or best alone; it goes with no other precision.",
)
def typed_with_some(spec):
    chosen = set(spec["precisions"])
    some = "stronglyTyped" in chosen and not chosen & {"fp16", "best"}
    return _answer(spec, skip=("typed",) if some else ())


@wrong(
    "fp8-with-any-refused", "You refuse fp8 with any other; only fp8 with int8 is a contradiction."
)
def fp8_alone(spec):
    if "fp8" in spec["precisions"] and len(spec["precisions"]) > 1:
        raise ValueError
    return _answer(spec)


@wrong("best-with-any-refused", "You refuse best with others; only stronglyTyped stands alone.")
def best_alone(spec):
    if "best" in spec["precisions"] and len(spec["precisions"]) > 1:
        raise ValueError
    return _answer(spec)


@wrong("int4-with-int8-refused", "int4 with int8 is no contradiction.")
def int4_alone(spec):
    if {"int4", "int8"} <= set(spec["precisions"]):
        raise ValueError
    return _answer(spec)


@wrong(
    "two-precisions-at-most",
    "Any number of precisions may be asked for, but for the contradictions.",
)
def two_at_most(spec):
    if len(spec["precisions"]) > 2:
        raise ValueError
    return _answer(spec)


@wrong("case-ignored", "You accept FP16 for fp16: names count as they are spelled in PRECISIONS.")
def case_ignored(spec):
    spelled = {name.lower(): name for name in NAMES}
    return _answer(dict(spec, precisions=[spelled.get(n.lower(), n) for n in spec["precisions"]]))


@wrong(
    "static-min-free",
    "You compare static dimensions with max alone; min and opt are the network's too.",
)
def static_min(spec):
    profiles = [
        {
            name: {
                key: [
                    three["max"][i] if i < len(three["max"]) and declared != -1 else d
                    for i, (declared, d) in enumerate(zip(spec["inputs"][name], dims, strict=True))
                ]
                for key, dims in three.items()
            }
            if name in spec["inputs"]
            and all(len(dims) == len(spec["inputs"][name]) for dims in three.values())
            else three
            for name, three in shapes.items()
        }
        for shapes in spec["profiles"]
    ]
    return _answer(dict(spec, profiles=profiles))


@wrong("first-profile-tested", "You look for unknown names in the first profile alone.")
def first_tested(spec):
    known = spec["inputs"]
    rest = [{n: s for n, s in p.items() if n in known} for p in spec["profiles"][1:]]
    return _answer(dict(spec, profiles=spec["profiles"][:1] + rest))


@wrong("a-word-a-line", "Without a backslash before it, a line's end ends the command.")
def a_word_a_line(spec):
    return "\n".join(shlex.quote(word) for word in shlex.split(_answer(spec)))


@wrong("switch-with-a-value", "A switch such as --fp16 takes no value: not --fp16=True.")
def valued(spec):
    return _answer(spec, edit=lambda words: [w if "=" in w else f"{w}=True" for w in words])


@wrong("switch-twice", "You write --skipInference twice.")
def doubled(spec):
    return _answer(spec, edit=lambda words: words + [w for w in words if "=" not in w])


@right("backslashes before spaces, max before min")
def backslashes(spec):
    _refuse(spec)
    words = _words(spec, number=len(spec["profiles"]) > 1)
    if len(spec["profiles"]) == 1:
        words = words[::-1]
    return "trtexec  " + "  ".join(word.replace(" ", "\\ ") for word in words)


@right("continued lines")
def continued(spec):
    return " \\\n    ".join(shlex.quote(word) for word in shlex.split(_answer(spec)))


@wrong("shapes-of-the-first-profile-tested", "You test the shapes of the first profile alone.")
def first_shapes(spec):
    return _answer(spec, skip=("later",))


@wrong(
    "static-inputs-not-tested", "A static input that a profile names must have its own dims there."
)
def still(spec):
    return _answer(spec, skip=("still",))


@wrong("ones-may-grow", "A dimension of 1 is static like any other: only -1 is dynamic.")
def ones(spec):
    return _answer(spec, skip=("ones",))


@wrong(
    "batch-alone-dynamic",
    "An input is dynamic if any of its dimensions is -1, not the first alone.",
)
def batch_alone(spec):
    rest = [name for name, dims in spec["inputs"].items() if -1 in dims[1:] and dims[0] != -1]
    if not any(name in shapes for name in rest for shapes in spec["profiles"]):
        return _answer(spec, skip=("none", "missing"))
    return _answer(spec)


@wrong("fp16-and-int8-alone-gone", "Release 11 has none of the precision flags.")
def some_gone(spec):
    gone = set(spec["precisions"]) & {"fp16", "int8", "stronglyTyped"}
    return _answer(spec, skip=() if gone else ("eleven",))
