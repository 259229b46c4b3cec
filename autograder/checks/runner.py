"""Calls a probe beside the learner's code and returns plain data.

In JupyterLab the engine imports it. While grading, its text is sent to the learner's kernel behind
those of plain.py and codec.py, without the course's imports: it knows no right answer, and a learner
who changes it there can return other data, nothing more.
"""

import contextlib
import copy
import io
import traceback
import warnings

import numpy as np

from autograder.checks.codec import CodecError, dumps, loads
from autograder.checks.plain import NotPlain, same, to_plain


def refusal(call):
    """What `call()` raises, for inputs that a solution must refuse: {"raised": its name or None}.

    A kind of ValueError is named ValueError. NotImplementedError passes: nothing is written yet.
    """
    try:
        call()
    except NotImplementedError:
        raise
    except ValueError:
        return {"raised": "ValueError"}
    except Exception as error:
        return {"raised": type(error).__name__}
    return {"raised": None}


def outcome(call):
    """What `call()` returns or raises, where a case may ask for either.

    {"value": its result}, or {"raised": name, "message": its text, "field": its `field` or None}. A kind
    of ValueError is named ValueError. NotImplementedError passes: nothing is written yet.
    """
    try:
        return {"value": call()}
    except NotImplementedError:
        raise
    except Exception as error:
        name = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        field = getattr(error, "field", None)
        return {"raised": name, "message": str(error)[:500], "field": field}


def probe_scope():
    """The only globals of a probe: `np`, `refusal` and `outcome`."""
    return {"np": np, "refusal": refusal, "outcome": outcome, "__name__": "probe"}


def run_probe(probe, solution, inputs):
    """One case, quietly: ["ok", answer], or [what, text, error type, place] where there is none.

    what: missing, not plain, raised or mutates (text names the argument).
    """
    given = copy.deepcopy(inputs)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = probe(solution, **given)
        answer = to_plain(raw)
        changed = [key for key in inputs if not unchanged(given[key], inputs[key])]
        return ["mutates", changed[0], "", ""] if changed else ["ok", answer]
    except NotImplementedError:
        return ["missing", "", "", ""]
    except NotPlain as error:
        return ["not plain", str(error)[:500], "", ""]
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return ["raised", str(error)[:500], type(error).__name__[:80], place(error)]


def run_probes(user_ns, name, probe_source, text):
    """JSON text of the results for the cases in `text` (JSON as well); an interrupt ends the list."""
    results = []
    if name not in user_ns:
        return dumps([["undefined", name, "", ""]])
    scope = probe_scope()
    exec(compile(probe_source, "<probe>", "exec"), scope)
    try:
        for inputs in loads(text):
            results.append(sendable(run_probe(scope["probe"], user_ns[name], inputs)))
    except KeyboardInterrupt:
        results.append(["timeout", "", "", ""])
    return dumps(results)


def sendable(result):
    """The result, or the reason why the codec cannot carry it."""
    try:
        dumps(result)
        return result
    except CodecError as error:
        return ["not plain", str(error)[:500], "", ""]


def unchanged(after, before):
    """Whether an input is what it was; functions and models handed in are not compared."""
    try:
        return same(to_plain(after), to_plain(before), rtol=0)
    except NotPlain:
        return True


def place(error):
    """The learner's own line in which the error arose: the last frame that is a notebook's cell."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "ipykernel" in f.filename]
    frames = [f for f in frames if "site-packages" not in f.filename]
    return f"line {frames[-1].lineno}: {frames[-1].line}"[:300] if frames else ""
