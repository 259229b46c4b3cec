"""Answers to ncu-command."""

import re
import shlex

from autograder.checks.bank import right, wrong

SETS = ("basic", "detailed", "full", "roofline")


def _refuse(spec, skip=()):
    names = spec["sections"] + spec["metrics"]
    rules = {
        "program": not spec["program"],
        "skip": spec["skip"] < 0,
        "count": spec["count"] is not None and spec["count"] < 1,
        "set": spec["set"] is not None and spec["set"] not in SETS,
        "page": spec["page"] not in ("details", "raw"),
        "overwrite": spec["overwrite"] and spec["report"] is None,
        "kernels": not all(re.fullmatch(r"\w+", name) for name in spec["kernels"]),
        "names": any(not name or "," in name or " " in name for name in names),
    }
    if any(hit for rule, hit in rules.items() if rule not in skip):
        raise ValueError("refused")


def _words(spec):
    words = [f"--target-processes={'all' if spec['children'] else 'application-only'}"]
    if len(spec["kernels"]) == 1:
        words.append(f"--kernel-name={spec['kernels'][0]}")
    elif spec["kernels"]:
        words.append(f"--kernel-name=regex:^({'|'.join(spec['kernels'])})$")
    if spec["skip"]:
        words.append(f"--launch-skip={spec['skip']}")
    if spec["count"] is not None:
        words.append(f"--launch-count={spec['count']}")
    if spec["set"]:
        words.append(f"--set={spec['set']}")
    words += [f"--section={name}" for name in spec["sections"]]
    if spec["metrics"]:
        words.append("--metrics=" + ",".join(spec["metrics"]))
    if spec["report"] is None:
        words += ["--csv", f"--page={spec['page']}"]
    else:
        words.append(f"--export={spec['report']}")
    return words + (["--force-overwrite"] if spec["overwrite"] else [])


def _line(spec, skip=(), edit=None, join=shlex.join):
    _refuse(spec, skip)
    words = _words(spec)
    words = edit(words) if edit else words
    return join(["ncu", *words, *spec["program"]])


def _swap(old, new):
    return lambda words: [new if word == old else word.replace(old, new, 1) for word in words]


@right("long options, shlex.join")
def joined(spec):
    return _line(spec)


@right("short options, every name anchored by itself")
def short(spec):
    _refuse(spec)
    line = ["/usr/local/cuda/bin/ncu"]
    if spec["kernels"]:
        line += ["-k", "regex:" + "|".join(f"^{name}$" for name in spec["kernels"])]
    line += ["-s", str(spec["skip"])]
    line += ["-c", str(spec["count"])] if spec["count"] is not None else []
    line += ["--set", spec["set"]] if spec["set"] else []
    for name in reversed(spec["sections"]):
        line += ["--section", name]
    line += ["--metrics", ",".join(reversed(spec["metrics"]))] if spec["metrics"] else []
    line += ["--csv", "--page", spec["page"]] if spec["report"] is None else ["-o", spec["report"]]
    line += ["-f"] if spec["overwrite"] else []
    line += ["--target-processes", "all" if spec["children"] else "application-only"]
    return " ".join(shlex.quote(word) for word in line + spec["program"])


@right("continued lines, a filter for all kernels")
def continued(spec):
    _refuse(spec)
    words = [w for w in _words(spec) if not w.startswith("--kernel-name")]
    names = "|".join(spec["kernels"]) or ".*"
    words.append(f"--kernel-name=regex:^(?:{names})$")
    return " \\\n ".join(["ncu", *map(shlex.quote, words), shlex.join(spec["program"])])


@wrong(
    "regex-not-anchored",
    "A regular expression matches anywhere in the name: anchor it with ^ and $.",
)
def loose(spec):
    def edit(words):
        names = "|".join(spec["kernels"])
        return [
            f"--kernel-name=regex:{names}" if w.startswith("--kernel-name") else w for w in words
        ]

    return _line(spec, edit=edit)


@wrong("anchored-at-the-start-alone", "^gemm also matches gemm_int8: anchor the end too.")
def start_alone(spec):
    def edit(words):
        names = "|".join(spec["kernels"])
        return [
            f"--kernel-name=regex:^({names})" if w.startswith("--kernel-name") else w for w in words
        ]

    return _line(spec, edit=edit)


@wrong("group-forgotten", "^a|b$ means (^a) or (b$): put the names in parentheses.")
def no_group(spec):
    def edit(words):
        names = "|".join(spec["kernels"])
        return [f"--kernel-name=regex:^{names}$" if "regex:" in w else w for w in words]

    return _line(spec, edit=edit)


@wrong("kernels-with-commas", "--kernel-name takes one name or one regex:, no list.")
def commas(spec):
    def edit(words):
        names = ",".join(spec["kernels"])
        return [f"--kernel-name={names}" if w.startswith("--kernel-name") else w for w in words]

    return _line(spec, edit=edit)


@wrong("prefix-forgotten", "Without the prefix regex: the text is an exact name.")
def no_prefix(spec):
    return _line(spec, edit=_swap("=regex:", "="))


@wrong("first-kernel-alone", "All kernels of the list are to be profiled.")
def first(spec):
    return (
        _line(dict(spec, kernels=spec["kernels"][:1]), skip=()) if spec["kernels"] else _line(spec)
    )


@wrong("sections-with-commas", "--section takes one section: repeat it.")
def sections_joined(spec):
    def edit(words):
        rest = [w for w in words if not w.startswith("--section")]
        return rest + ([f"--section={','.join(spec['sections'])}"] if spec["sections"] else [])

    return _line(spec, edit=edit)


@wrong("metrics-repeated", "--metrics stands once, its names joined by commas.")
def metrics_repeated(spec):
    def edit(words):
        rest = [w for w in words if not w.startswith("--metrics")]
        return rest + [f"--metrics={name}" for name in spec["metrics"]]

    return _line(spec, edit=edit)


@wrong("overwrite-with-true", "--force-overwrite of ncu is a switch: no =true (that is nsys).")
def with_true(spec):
    return _line(spec, edit=_swap("--force-overwrite", "--force-overwrite=true"))


@wrong("output-for-export", "The report's option is --export (or -o); --output is of nsys.")
def output(spec):
    return _line(spec, edit=_swap("--export=", "--output="))


@wrong(
    "csv-with-a-report", "With a report nothing is printed: --csv and --page are for reading it."
)
def csv_always(spec):
    def edit(words):
        return words if "--csv" in words else [*words, "--csv", f"--page={spec['page']}"]

    return _line(spec, edit=edit)


@wrong("page-left-out", "The default page is details: say which one.")
def no_page(spec):
    return _line(spec, edit=lambda words: [w for w in words if not w.startswith("--page")])


@wrong("csv-left-out", "Without --csv the page is printed for people.")
def no_csv(spec):
    return _line(spec, edit=lambda words: [w for w in words if w != "--csv"])


@wrong(
    "skip-and-count-swapped",
    "--launch-skip passes over launches, --launch-count profiles that many.",
)
def swapped(spec):
    def edit(words):
        names = {"--launch-skip": "--launch-count", "--launch-count": "--launch-skip"}
        pairs = [w.partition("=") for w in words]
        return [names.get(a, a) + b + c for a, b, c in pairs]

    return _line(spec, edit=edit)


@wrong("short-names-swapped", "-s is --launch-skip and -c is --launch-count.")
def short_swapped(spec):
    def edit(words):
        out = []
        for word in words:
            name, _, value = word.partition("=")
            short_name = {"--launch-skip": "-c", "--launch-count": "-s"}.get(name)
            out += [short_name, value] if short_name else [word]
        return out

    return _line(spec, edit=edit)


@wrong(
    "children-left-out",
    "The default of --target-processes differs between releases: always say it.",
)
def no_target(spec):
    return _line(spec, edit=lambda words: [w for w in words if "target" not in w])


@wrong("always-all-processes", "Child processes are profiled only where it is asked for.")
def always_all(spec):
    return _line(dict(spec, children=True))


@wrong("count-of-one", "count=None means all launches.")
def one(spec):
    return _line(dict(spec, count=1 if spec["count"] is None else spec["count"]))


@wrong("set-full-by-default", "Nothing but what was asked for: the full set takes many passes.")
def full(spec):
    asked = spec["set"] or spec["sections"] or spec["metrics"]
    return _line(spec if asked else dict(spec, set="full"))


@wrong(
    "options-behind-the-program",
    "What stands behind the program belongs to the program: options come first.",
)
def behind(spec):
    _refuse(spec)
    return shlex.join(["ncu", *spec["program"], *_words(spec)])


@wrong("unquoted", "A shell reads |, ( and spaces: quote such words.")
def unquoted(spec):
    return _line(spec, join=" ".join)


@wrong("zero-launches-accepted", "ncu refuses a launch count of 0.")
def zero(spec):
    return _line(spec, skip=("count",))


@wrong("sets-not-checked", "A set that does not exist must raise ValueError.")
def any_set(spec):
    return _line(spec, skip=("set",))


@wrong("overwrite-without-report", "Without a report there is nothing to overwrite: ValueError.")
def nothing_to_overwrite(spec):
    return _line(spec, skip=("overwrite",))


@wrong(
    "names-not-checked",
    "A comma or a space inside a section or a metric is an error in the specification.",
)
def names(spec):
    return _line(spec, skip=("names",))


@wrong(
    "kernel-names-not-checked", "Kernels are function names: no parameters, no template arguments."
)
def kernels(spec):
    return _line(spec, skip=("kernels",))


@wrong("no-refusal", "A specification that ncu cannot fulfil must raise ValueError.")
def unchecked(spec):
    every = ("program", "skip", "count", "set", "page", "overwrite", "kernels", "names")
    return _line(spec, skip=every)


@wrong("regex-unquoted", "A shell reads | and ( of the regular expression itself: quote that word.")
def bare_regex(spec):
    return _line(spec, join=lambda words: " ".join(
        word if word.startswith("--kernel-name=") else shlex.quote(word) for word in words))  # fmt: skip


@wrong("page-not-checked-with-a-report", "A page that does not exist must raise ValueError always.")
def page_with_report(spec):
    return _line(spec, skip=("page",) if spec["report"] is not None else ())


@right("double quotes around every value")
def double_quoted(spec):
    marks = str.maketrans({c: "\\" + c for c in '"\\`'})  # a $ at the end of a word stays a $

    def quoted(word):
        name, equals, value = word.partition("=")
        return (
            f'{name}{equals}"{value.translate(marks)}"'
            if word.startswith("--k")
            else shlex.quote(word)
        )

    return _line(spec, join=lambda words: " ".join(map(quoted, words)))
