"""Answers to stack-cache."""

from autograder.checks.bank import right, wrong


def _under(path, c):
    return path == "." or c == path or c.startswith(path + "/")


def _model(stages, target, changed, new_images, *, under=_under, needed=True, base=True, images=True,
           follow=True, source=True, chain=True, context_in_from=False, skip="", earlier=True):  # fmt: skip
    names = [s["name"] for s in stages]
    if "t" not in skip and target not in names:
        raise ValueError("target")
    if "d" not in skip and len(set(names)) < len(names):
        raise ValueError("names")
    if "f" not in skip:
        for i, s in enumerate(stages):
            known = names[:i] if "l" not in skip else names
            if any(x["from"] is not None and x["from"] not in known for x in s["steps"]):
                raise ValueError("from")
    want = {target} if needed else set(names)
    for i in reversed(range(len(stages))):
        if stages[i]["name"] in want:
            if follow != "no bases" and stages[i]["base"] in names[:i]:
                want.add(stages[i]["base"])
            if follow != "no copies":
                want |= {x["from"] for x in stages[i]["steps"]} - {None}
    found, new = [], set()
    for i, s in enumerate(stages):
        if s["name"] not in want:
            continue
        if s["base"] in (names[:i] if earlier else names):
            dirty = base and s["base"] in new
        else:
            dirty = images and s["base"] in new_images
        if images == "all":
            dirty = dirty or s["base"] in new_images
        own = dirty
        for k, step in enumerate(s["steps"]):
            hit = False
            if step["from"] is None or context_in_from:
                hit = any(under(p, c) for p in step["reads"] for c in changed)
            if step["from"] is not None and source:
                hit = hit or step["from"] in new
            own = own or hit
            dirty = (dirty or hit) if chain else hit
            if dirty:
                found.append((s["name"], k))
        if own:
            new.add(s["name"])
    return found


@right("in the order of the file")
def in_order(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images)


@right("recursion over stages")
def by_recursion(stages, target, changed, new_images):
    place = {}
    for i, s in enumerate(stages):
        for step in s["steps"]:
            if step["from"] is not None and step["from"] not in place:
                raise ValueError(f"copies from {step['from']}")
        if s["name"] in place:
            raise ValueError("two stages of one name")
        place[s["name"]] = i
    if target not in place:
        raise ValueError("no target")
    folders = set()
    for name in changed:
        folders.add(".")
        while name:
            folders.add(name)
            name = name.rpartition("/")[0]
    first = {}

    def first_new(i):
        """The first step that runs again; one more than the last if the base alone counts; None."""
        if i in first:
            return first[i]
        s, answer = stages[i], None
        up = place.get(s["base"], i)
        if (first_new(up) is not None) if up < i else s["base"] in new_images:
            answer = 0
        for k, step in enumerate(s["steps"]):
            copied = step["from"] is not None and first_new(place[step["from"]]) is not None
            if answer is None and (copied or step["from"] is None and folders & set(step["reads"])):
                answer = k
        first[i] = answer
        return answer

    def visit(i):
        mine = {i}
        up = place.get(stages[i]["base"], i)
        for j in [up] * (up < i) + [place[x["from"]] for x in stages[i]["steps"] if x["from"]]:
            mine |= visit(j)
        return mine

    out = []
    for i in sorted(visit(place[target])):
        if first_new(i) is not None:
            out += [[stages[i]["name"], k] for k in range(first_new(i), len(stages[i]["steps"]))]
    return out


@wrong(
    "rest-of-stage-cached", "After a step that runs again, all later steps of its stage run again."
)
def no_chain(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, chain=False)


@wrong("all-stages-built", "Stages that the target does not need are not built.")
def all_stages(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, needed=False)


@wrong("copied-stages-skipped", "Stages that are copied from are needed too.")
def no_copies(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, follow="no copies")


@wrong("bases-skipped", "A base that is a stage is needed too.")
def no_bases(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, follow="no bases")


@wrong("target-alone", "Needed stages are built as well, not the target alone.")
def target_alone(stages, target, changed, new_images):
    return [x for x in _model(stages, target, changed, new_images) if x[0] == target]


@wrong("copy-from-ignored", "A step that copies from a stage with a new result runs again.")
def no_source(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, source=False)


@wrong("base-stage-ignored", "If the base's result is new, all steps of the stage run again.")
def no_base(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, base=False)


@wrong("images-ignored", "A new image makes all steps on it run again.")
def no_images(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, images=False)


@wrong(
    "stage-taken-for-image", "A base that is an earlier stage's name is that stage, not an image."
)
def stage_or_image(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, images="all")


@wrong("later-stage-as-base", "A base is an earlier stage; a later one's name means an image.")
def later_base(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, earlier=False)


@wrong(
    "context-in-copy-from",
    "With `from` the paths lie in that stage: changed files of the context do not touch them.",
)
def context(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, context_in_from=True)


@wrong("prefix-of-text", "src2 does not lie in src: compare whole parts of the path.")
def text_prefix(stages, target, changed, new_images):
    return _model(
        stages, target, changed, new_images, under=lambda p, c: p == "." or c.startswith(p)
    )


@wrong("exact-files-only", "A file below a folder that is read counts.")
def exact(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, under=lambda p, c: p in (".", c))


@wrong("children-only", "A file that is read by its own name counts, not only files in folders.")
def children(stages, target, changed, new_images):
    return _model(
        stages, target, changed, new_images, under=lambda p, c: p == "." or c.startswith(p + "/")
    )


@wrong("dot-forgotten", "'.' reads the whole context.")
def no_dot(stages, target, changed, new_images):
    return _model(
        stages, target, changed, new_images, under=lambda p, c: c == p or c.startswith(p + "/")
    )


@wrong("name-anywhere", "A folder of that name elsewhere is another folder.")
def anywhere(stages, target, changed, new_images):
    return _model(
        stages,
        target,
        changed,
        new_images,
        under=lambda p, c: p == "." or p in c.split("/") or _under(p, c),
    )


@wrong("counts-from-one", "Steps count from 0.")
def from_one(stages, target, changed, new_images):
    return [(name, k + 1) for name, k in _model(stages, target, changed, new_images)]


@wrong("names-only", "Return pairs: stage and number of the step.")
def names_only(stages, target, changed, new_images):
    return [name for name, _ in _model(stages, target, changed, new_images)]


@wrong("cached-steps-returned", "Return the steps that run again, not those from the cache.")
def cached(stages, target, changed, new_images):
    again = _model(stages, target, changed, new_images)
    return [
        (s["name"], k)
        for s in stages
        for k in range(len(s["steps"]))
        if (s["name"], k) not in again
    ]


@wrong("target-not-checked", "A target that is no stage must raise ValueError.")
def any_target(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, skip="t")


@wrong("names-not-checked", "Two stages of one name must raise ValueError.")
def same_names(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, skip="d")


@wrong("from-not-checked", "A `from` that is no earlier stage must raise ValueError.")
def any_from(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, skip="f")


@wrong("later-from-accepted", "A stage copies from earlier stages only.")
def later_from(stages, target, changed, new_images):
    return _model(stages, target, changed, new_images, skip="l")
