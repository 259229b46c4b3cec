"""Answers to compile-cost."""

import numpy as np

from autograder.checks.bank import right, wrong


def _serve(mode, sizes, limit, *, special=(0, 1), cached_beyond=True, newest=True, first_static=True,
           forgets=False, per_mode_limit=True):  # fmt: skip
    """(compiled, artifact) of each call."""
    static, dynamic, calls, last = set(), False, [], None
    for size in sizes:
        fits_dynamic = dynamic and size not in special
        fits_static = size in static
        full = per_mode_limit and len(static) + dynamic >= limit
        if full and not cached_beyond:
            calls.append((False, "eager"))
            continue
        if forgets and mode == "static" and size != last:
            fits_static = False
        last = size
        if fits_dynamic and (newest or not fits_static):
            calls.append((False, "dynamic"))
        elif fits_static:
            calls.append((False, "static"))
        elif full:
            calls.append((False, "eager"))
        elif mode == "static" or size in special or (first_static and not static and not dynamic):
            static.add(size)
            calls.append((True, "static"))
        else:
            dynamic = True
            calls.append((True, "dynamic"))
    return calls


def _stays(took, eager_us):
    pays, total = None, 0
    for index, value in enumerate(took):
        total += value
        if total > eager_us * (index + 1):
            pays = None
        elif pays is None:
            pays = index + 1
    return pays


def _costs(sizes, times, serve=_serve, pays=_stays, runs_too=True, **rules):
    found = {}
    for mode in ("static", "automatic"):
        calls = serve(mode, sizes, times["limit"], **rules)
        took = [
            times["compile_us"] * made + (times[f"{what}_us"] if runs_too or not made else 0)
            for made, what in calls
        ]
        found[mode] = {
            "compiles": sum(made for made, _ in calls),
            "total_us": sum(took),
            "pays_after": pays(took, times["eager_us"]),
        }
    return found


def _times(eager_us, static_us, dynamic_us, compile_us, limit):
    return {
        "eager_us": eager_us,
        "static_us": static_us,
        "dynamic_us": dynamic_us,
        "compile_us": compile_us,
        "limit": limit,
    }


@right("sets and a flag")
def sets(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit))


@right("a list of guards, NumPy sums")
def guards(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    answer = {}
    for mode in ("automatic", "static"):
        cache, spent = {}, []
        for n in sizes:
            key = "any" if n > 1 and "any" in cache else n
            price = 0
            if key not in cache and len(cache) < limit:
                if mode == "automatic" and cache and n > 1:
                    key = "any"
                cache[key] = dynamic_us if key == "any" else static_us
                price = compile_us
            spent.append(price + cache.get(key, eager_us))
        saved = np.cumsum(np.subtract(eager_us, spent)) if spent else np.array([])
        bad = np.flatnonzero(saved < 0)
        first = int(bad[-1]) + 2 if len(bad) else 1
        answer[mode] = {
            "pays_after": first if first <= len(sizes) else None,
            "compiles": np.int64(len(cache)),
            "total_us": int(sum(spent)),
        }
    return answer


@wrong(
    "static-goes-before-dynamic", "Where both fit, the dynamic artifact goes before the static one."
)
def oldest(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), newest=False)


@wrong(
    "one-is-nothing-special",
    "Sizes 0 and 1 are not served by the dynamic artifact; each gets its own.",
)
def one(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), special=())


@wrong("zero-forgotten", "Size 0 is special like size 1.")
def zero(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), special=(1,))


@wrong("dynamic-from-the-start", "The first artifact is static.")
def at_once(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(
        sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), first_static=False
    )


@wrong("no-limit", "With `limit` artifacts nothing more is compiled: the call runs eagerly.")
def unlimited(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(
        sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), per_mode_limit=False
    )


@wrong("eager-for-ever", "Behind the limit the artifacts that are there still serve their sizes.")
def gives_up(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(
        sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), cached_beyond=False
    )


@wrong("limit-of-eight-fixed", "The limit is an argument.")
def eight(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, 8))


@wrong("only-the-last-size-kept", "Artifacts stay: a size seen earlier is not compiled again.")
def forgetful(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), forgets=True)


@wrong("compiling-call-does-not-run", "The call that compiles runs too.")
def compile_only(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), runs_too=False)


@wrong(
    "first-crossing",
    "A later compilation may put it behind again: from pays_after on it must stay ahead.",
)
def crossing(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    def first(took, eager):
        sums = np.cumsum(took)
        return next((i + 1 for i in range(len(took)) if sums[i] <= eager * (i + 1)), None)

    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), pays=first)


@wrong("strictly-ahead", "No longer than eager: equal counts.")
def strict(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit),
                  pays=lambda took, eager: _stays([t + 1e-9 for t in took], eager))  # fmt: skip


@wrong("counted-from-zero", "pays_after is a number of calls, not an index.")
def from_zero(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    def index(took, eager):
        pays = _stays(took, eager)
        return None if pays is None else pays - 1

    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), pays=index)


@wrong(
    "formula-for-one-artifact",
    "The trace decides: sizes, and which artifact serves, change the gain on the way.",
)
def formula(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    def closed(took, eager):
        gain = eager - static_us
        calls = -(-compile_us // gain) if gain > 0 else None
        return calls if calls is not None and 1 <= calls <= len(took) else None

    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), pays=closed)


@wrong("never-as-the-length", "Where it never pays the answer is None.")
def length(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    def behind(took, eager):
        pays = _stays(took, eager)
        return len(took) + 1 if pays is None else pays

    return _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit), pays=behind)


@wrong("same-for-both-modes", "The default mode makes a dynamic artifact for the second size.")
def same(sizes, *, eager_us, static_us, dynamic_us, compile_us, limit=8):
    found = _costs(sizes, _times(eager_us, static_us, dynamic_us, compile_us, limit))
    return {"static": found["static"], "automatic": dict(found["static"])}
