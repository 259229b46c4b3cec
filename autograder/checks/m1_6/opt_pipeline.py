"""opt-pipeline: the same tokens and logits as the offered pipeline, in less time.

The probe sends the function's text; observe races it against the offered pipeline, in processes of their
own (oracles/pipeline_driver.py), so that no time and no result comes from the learner's kernel. The gain
is a ratio of medians over rounds that take turns: CPU time, held against the wall clock (see counted).
"""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import pipeline_race as race

PARTS = {"results": 0.3, "gain": 0.4, "full gain": 0.3}
HINTS = (
    "The weights do not change between tokens: dequantize each of them once, before `generate` is made.",
    "Keys and values of earlier positions do not change either: keep them, and send only the newest "
    "token through the layers.",
    "A prompt of one token and a batch of unequal lengths: the first token of each has position 0.",
)
BANK_SEEDS = 1


def cases(rng):
    seed = int(rng.integers(2**31))
    for part in PARTS:
        yield case("fresh prompts", part=part, seed=seed)


def probe(solution, seed):
    import ast
    import builtins
    import contextlib
    import inspect
    import linecache
    import textwrap
    import types

    def written(value):
        try:
            return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
        except (OSError, TypeError, SyntaxError):
            if inspect.isfunction(value):
                raise
        # A class of a notebook has no file: its methods know their cell.
        codes = [x.__code__ for x in vars(value).values() if inspect.isfunction(x)]
        for file in [c.co_filename for c in codes] + [solution.__code__.co_filename]:
            for node in ast.parse("".join(linecache.getlines(file))).body:
                if isinstance(node, ast.ClassDef) and node.name == value.__name__:
                    return node
        raise OSError

    solution = inspect.unwrap(solution)  # a decorator's wrapper lives in another module
    name = getattr(solution, "__name__", "")
    scope = getattr(solution, "__globals__", None)
    if not isinstance(solution, types.FunctionType):
        return {"kind": type(solution).__name__, "text": "", "name": ""}
    given, texts, seen, waiting = [], [], {name}, [(name, solution)]
    while waiting:
        key, value = waiting.pop()
        own = inspect.isfunction(inspect.unwrap(value)) or inspect.isclass(value)
        if own and value.__module__ == solution.__module__:
            try:
                top = written(value)
            except (OSError, TypeError, SyntaxError):
                return {"kind": "function without a text", "text": "", "name": name}
            if key == name:
                body = [x for x in top.body if not isinstance(getattr(x, "value", 0), ast.Constant)]
                if body and isinstance(body[0], ast.Raise) and "NotImpl" in ast.unparse(body[0]):
                    raise NotImplementedError
            if isinstance(top, (ast.FunctionDef, ast.ClassDef)):
                top.decorator_list = [
                    d
                    for d in top.decorator_list
                    if getattr(
                        scope.get(getattr(getattr(d, "func", d), "id", "")), "__module__", ""
                    )
                    != "autograder.checks.bank"
                ]
                again = f"\n{key} = {top.name}" * (key != top.name)
            else:
                again = ""  # a lambda with a name: the text is an assignment
            texts.insert(0, ast.unparse(top) + again)
            used = [n.id for n in ast.walk(top) if isinstance(n, ast.Name)]
            for other in sorted({u for u in used if u in scope and not hasattr(builtins, u)}):
                if other not in seen:
                    seen.add(other)
                    waiting.append((other, scope[other]))
        elif inspect.ismodule(value):
            given.append(f"import {value.__name__}\nimport {value.__name__} as {key}")
        elif own or callable(value):
            where, what = getattr(value, "__module__", None), getattr(value, "__name__", "")
            if where and what.isidentifier():
                given.append(f"from {where} import {what} as {key}")
        elif type(value).__module__ == "torch" and type(value).__name__ == "dtype":
            given.append(f"{key} = {value!r}")
        else:
            with contextlib.suppress(
                ValueError, SyntaxError, TypeError, MemoryError, RecursionError
            ):
                if len(repr(value)) < 20_000 and ast.literal_eval(repr(value)) == value:
                    given.append(f"{key} = {value!r}")
    text = "\n".join(["from __future__ import annotations", "import torch", *given, *texts])
    return {"kind": "function", "text": text, "name": name}


def observe(case, answer):
    if answer.get("kind") != "function":
        expect.wrong("type", "The text of your function cannot be read: write it with `def` in the "
                     "exercise's cell.", yours=f"a {answer.get('kind')}")  # fmt: skip
    return race.run(
        str(answer["text"]), str(answer["name"]), case.seed, again=case.part == "results"
    )


def judge(case, answer):
    race.came_through(answer)
    if case.part == "results":
        for index, (batch, header) in enumerate(
            zip(answer["batches"], answer["checked"], strict=False)
        ):
            _batch(index, batch, header, answer["arrays"])
        changed = answer["changed"]
        expect.that(
            changed is None,
            "Right at first, your results go wrong in a later call: nothing may be kept from call to call "
            "but what the weights give.",
        )
        return
    wall, cpu = race.gains(answer["times"])
    got, needed = (
        race.counted(answer["times"]),
        race.GAIN if case.part == "gain" else race.FULL_GAIN,
    )
    what = (
        "Too little is gained." if case.part == "gain" else "The gain is real, and can be larger."
    )
    expect.that(
        got >= needed,
        what,
        yours=f"{wall:.2f} times as fast by the clock, {cpu:.2f} times in CPU time",
        right=f"{needed:g} times or more in CPU time, half of it or more by the clock",
        where=f"medians of {len(answer['times'])} rounds",
        hint="Profile your version too: which operators take the time now?",
    )


def _batch(index, batch, header, arrays):
    prompts, lengths = batch["prompts"], [len(p) for p in batch["prompts"]]
    results = header.get("results")
    where = f"prompts of {lengths} tokens, {batch['new_tokens']} new"
    expect.that(len(results) == len(prompts), "Return one result for each prompt.", stage="shape",
                yours=f"{len(results)} results", right=f"{len(prompts)}", where=where)  # fmt: skip
    for place, (tokens, shape, kind) in enumerate(results):
        want, right = arrays[f"want_{index}_{place}"], arrays[f"tokens_{index}_{place}"].tolist()
        at = f"{where}: prompt {place}"
        expect.that(len(tokens) == len(right), "The number of new tokens is off.", stage="shape",
                    yours=len(tokens), right=len(right), where=at)  # fmt: skip
        expect.that(list(shape) == list(want.shape), "The logits have the wrong shape.", stage="shape",
                    yours=str(tuple(shape)), right=str(want.shape), where=at)  # fmt: skip
        expect.that(kind == "float32", "The logits must be float32.", stage="dtype",
                    yours=kind, right="float32", where=at)  # fmt: skip
        _rows(tokens, arrays[f"got_{index}_{place}"].reshape(shape), right, want, at)


def _rows(tokens, got, right, want, at):
    """Each step's logits within the bound and its token the likeliest, up to a tie within the bound."""
    for step, (token, mine) in enumerate(zip(tokens, right, strict=True)):
        gap = float(np.abs(got[step] - want[step]).max())
        hint = "Compare lengths: one prompt alone, then two of unequal lengths."
        if gap < 0.1:
            hint = "A small difference: a narrower type (float16, 8 bits), or a term left out?"
        expect.that(gap <= race.BOUND, "The logits are not those of the offered pipeline.",
                    yours=f"off by {gap:.3g}", right=f"within {race.BOUND:g}",
                    where=f"{at}, new token {step}", hint=hint)  # fmt: skip
        if token != mine:
            tie = 0 <= token < len(want[step]) and want[step][mine] - want[step][token]
            expect.that(tie is not False and tie <= 2 * race.BOUND, "Another token was chosen.",
                        yours=token, right=mine, where=f"{at}, new token {step}",
                        hint="Take the likeliest token of the logits that you return.")  # fmt: skip
            return
