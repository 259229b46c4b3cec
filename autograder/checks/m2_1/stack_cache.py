"""stack-cache: steps of a build that run again, found by recursion over what each step rests on."""

import functools

from autograder.checks import case, expect

PARTS = {"one stage": 0.35, "stages": 0.45, "refuse": 0.2}
HINTS = (
    "Keep two things while you walk: is this stage new so far, and which stages have a new result.",
    "Needed stages: from the target backwards, over bases and 'from'.",
    "A path p is touched by p itself and by what begins with p + '/'.",
)


def _step(*reads, source=None):
    return {"from": source, "reads": list(reads)}


def _stage(name, base, *steps):
    return {"name": name, "base": base, "steps": list(steps)}


PYTHON = [_stage("serve", "python", _step("requirements.txt"), _step(), _step("src"), _step())]
TWO = [
    _stage("build", "devel", _step("requirements.txt"), _step()),
    _stage("tools", "devel", _step("tools"), _step()),
    _stage("docs", "devel", _step("."), _step()),
    _stage(
        "serve", "runtime", _step(), _step("src", source="build"), _step(), _step("src"), _step()
    ),
    _stage("debug", "serve", _step("debug.sh"), _step("bin", source="tools")),
]


def _case(label, part, stages, target, changed=(), images=(), **more):
    return case(label, part, stages=stages, target=target, changed=list(changed),
                new_images=list(images), **more)  # fmt: skip


def cases(rng):
    part = "one stage"
    for label, changed in (
        ("nothing changed", []),
        ("a source file", ["src/a.py"]),
        ("the requirements", ["requirements.txt"]),
        ("a file that is not copied", ["README.md"]),
        ("a folder whose name begins alike", ["src2/a.py", "src.py", "requirements.txt.bak"]),
        ("deep below", ["src/a/b/c.py"]),
        ("the same name elsewhere", ["old/src/a.py", "lib/requirements.txt"]),
        ("the path itself", ["src"]),
    ):
        yield _case(label, part, PYTHON, "serve", changed)
    yield _case("a new image", part, PYTHON, "serve", [], ["python"])
    yield _case("another image is new", part, PYTHON, "serve", [], ["devel", "serve"])
    everything = [_stage("serve", "python", _step(), _step("."), _step())]
    yield _case("copy all, a file", part, everything, "serve", ["x/y"])
    yield _case("copy all, nothing changed", part, everything, "serve")
    deep = [_stage("s", "i", _step("a/b", "c"), _step("a/b/d"), _step())]
    for changed in (["a"], ["a/b"], ["a/bc"], ["c/x", "q"], ["a/b/d/e"]):
        yield _case(f"changed {changed}", part, deep, "s", changed)
    part = "stages"
    for target in ("serve", "debug", "build", "docs"):
        for changed, images in (
            (["requirements.txt"], []),
            (["src/a.py"], []),
            (["tools/x"], []),
            (["debug.sh"], []),
            ([], ["devel"]),
            ([], ["runtime"]),
            (["bin"], ["build"]),
            ([], []),
        ):
            yield _case(
                f"target {target}, changed {changed + images}", part, TWO, target, changed, images
            )
    bare = [_stage("base", "image"), _stage("mid", "base"), _stage("end", "mid", _step(), _step())]
    yield _case("a new image below stages without steps", part, bare, "end", [], ["image"])
    named = [_stage("cuda", "cuda", _step()), _stage("serve", "cuda", _step())]
    yield _case("a stage called like its image", part, named, "serve", [], ["cuda"])
    shadow = [_stage("cuda", "x", _step()), _stage("serve", "cuda", _step())]
    yield _case("a stage hides a new image of its name", part, shadow, "serve", [], ["cuda"])
    ahead = [_stage("a", "b", _step()), _stage("b", "image", _step("f")), _stage("c", "a", _step())]
    yield _case("a base that is a later stage's name is an image", part, ahead, "c", ["f"])
    yield _case("the same, and the image is new", part, ahead, "c", [], ["b"])
    for k in range(6):
        yield _drawn(rng, k)
    good = {"stages": TWO, "target": "serve"}
    for label, bad in (
        ("no such target", {"target": "server"}),
        ("no stages", {"stages": []}),
        ("two stages of one name", {"stages": [*TWO, _stage("build", "x")]}),
        ("a copy from a later stage", {"stages": [_stage("serve", "x", _step("a", source="b")),
            _stage("b", "y")]}),
        ("a copy from itself", {"stages": [_stage("serve", "x", _step(), _step("a", source="serve"))]}),
        ("a copy from no stage", {"stages": [_stage("serve", "x", _step("a", source="python"))]}),
        ("a copy from no stage, in a stage that is not needed",
         {"stages": [_stage("other", "x", _step("a", source="y")), _stage("serve", "x")]}),
    ):  # fmt: skip
        yield _case(label, "refuse", **(good | bad), refuse=True)


def _drawn(rng, k):
    stages, files = [], [f"d{i}/f{j}" for i in range(3) for j in range(2)]
    for s in range(5 + k):
        earlier = [f"s{i}" for i in range(s)]
        base = str(rng.choice([*earlier, "image0", "image1", "image2"]))
        steps = []
        for _ in range(int(rng.integers(0, 4))):
            if earlier and rng.integers(4) == 0:
                steps.append(_step("d0", source=str(rng.choice(earlier))))
            else:
                some = [str(x) for x in rng.choice(["d0", "d1", *files], int(rng.integers(0, 2)))]
                steps.append(_step(*some))
        stages.append(_stage(f"s{s}", base, *steps))
    changed = [str(x) for x in rng.choice(files, 1)]
    images = ["image0"] if rng.integers(2) else []
    return _case(f"drawn, {k + 1}", "stages", stages, f"s{4 + k}", changed, images)


def probe(solution, stages, target, changed, new_images, refuse=False):
    if refuse:
        return refusal(lambda: solution(stages, target, changed, new_images))  # noqa: F821
    return solution(stages, target, changed, new_images)


def rerun(stages, target, changed, new_images):
    """Each question asked anew by recursion: is this step new, is this result new."""
    index = {stage["name"]: i for i, stage in enumerate(stages)}
    above = {"."} if changed else set()
    for path in changed:
        pieces = path.split("/")
        above |= {"/".join(pieces[: n + 1]) for n in range(len(pieces))}

    def result(i):
        steps = stages[i]["steps"]
        return step(i, len(steps) - 1)

    @functools.cache
    def step(i, k):
        if k < 0:
            base = stages[i]["base"]
            return result(index[base]) if index.get(base, i) < i else base in new_images
        now = stages[i]["steps"][k]
        if now["from"] is not None:
            own = result(index[now["from"]])
        else:
            own = any(path in above for path in now["reads"])
        return own or step(i, k - 1)

    def below(i):
        bases = [index[stages[i]["base"]]] if index.get(stages[i]["base"], i) < i else []
        found = {i}
        for j in bases + [index[s["from"]] for s in stages[i]["steps"] if s["from"] is not None]:
            found |= below(j)
        return found

    return [(stages[i]["name"], k) for i in sorted(below(index[target]))
            for k in range(len(stages[i]["steps"])) if step(i, k)]  # fmt: skip


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    expect.that(isinstance(answer, (list, tuple)), "Return a list of pairs.", stage="type",
                yours=expect.kind(answer))  # fmt: skip
    want, got = rerun(case.stages, case.target, case.changed, case.new_images), []
    for pair in answer:
        name, number = expect.sequence(pair, ("stage", "step"))
        expect.that(isinstance(name, str) and type(number) is int, "A pair is (name, int).",
                    stage="type", yours=[name, number])  # fmt: skip
        got.append((name, number))
    missing, more = [x for x in want if x not in got], [x for x in got if x not in want]
    expect.that(
        not missing, "A step that runs again is missing.", yours=got, right=str(missing[:1])
    )
    expect.that(not more, "This step comes from the cache, or is not built.", yours=str(more[:1]),
                right=want)  # fmt: skip
    expect.that(
        got == want, "The order is that of the file, each step once.", yours=got, right=want
    )
    return None
