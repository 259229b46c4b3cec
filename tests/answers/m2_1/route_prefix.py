"""Answers to route-prefix."""

from autograder.checks.bank import right, wrong


def _refuse(replicas, most_ahead):
    if not len(replicas):
        raise ValueError("no replica")
    if most_ahead < 0:
        raise ValueError("most_ahead")


def _route(request, replicas, most_ahead, *, key=None, below=None, none=True, pick=min, last=False):
    _refuse(replicas, most_ahead)
    key = key or (lambda r: r.load)
    order = list(range(len(replicas)))[:: -1 if last else 1]
    least = min(order, key=lambda i: key(replicas[i]))
    warm = [
        i
        for i in order
        if replicas[i].has_prefix(request.prefix) and (request.prefix >= 0 or not none)
    ]
    if not warm:
        return least
    best = pick(warm, key=lambda i: key(replicas[i]))
    below = below or (lambda mine, lowest: mine <= lowest + most_ahead)
    return best if below(key(replicas[best]), key(replicas[least])) else least


@right("two minima")
def two_minima(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead)


@right("warm ones within the limit first")
def within(request, replicas, most_ahead):
    _refuse(replicas, most_ahead)
    loads = [r.queued + r.running for r in replicas]
    good = [
        (load, i)
        for i, load in enumerate(loads)
        if load - min(loads) <= most_ahead
        and request.prefix != -1
        and replicas[i].has_prefix(request.prefix)
    ]
    return min(good)[1] if good else loads.index(min(loads))


@wrong("no-limit", "A warm replica that is too busy is left for the least busy one.")
def no_limit(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, below=lambda mine, lowest: True)


@wrong("below-the-limit", "A load equal to the limit is still allowed.")
def strict(request, replicas, most_ahead):
    return _route(
        request, replicas, most_ahead, below=lambda mine, lowest: mine < lowest + most_ahead
    )


@wrong("absolute-limit", "The limit is counted from the least busy replica's load.")
def absolute(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, below=lambda mine, lowest: mine <= most_ahead)


@wrong("first-warm", "Of several warm replicas take the one with the smallest load.")
def first_warm(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, pick=lambda warm, key: warm[0])


@wrong("busiest-warm", "Of several warm replicas take the one with the smallest load.")
def busiest(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, pick=max)


@wrong("cache-ignored", "A warm replica within the limit is preferred.")
def ignored(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, below=lambda mine, lowest: False)


@wrong("tokens-for-load", "The rule compares loads, not tokens ahead.")
def tokens(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, key=lambda r: r.prompt_tokens_ahead)


@wrong("queue-for-load", "Load counts the running requests too.")
def queue(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, key=lambda r: r.queued)


@wrong("last-of-equals", "Of equals the first.")
def last(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, last=True)


@wrong("minus-one-is-a-prefix", "-1 means that there is no prefix.")
def minus(request, replicas, most_ahead):
    return _route(request, replicas, most_ahead, none=False)


@wrong("zero-is-none", "Prefix 0 is a prefix.")
def zero(request, replicas, most_ahead):
    _refuse(replicas, most_ahead)
    loads = [r.load for r in replicas]
    warm = [
        i for i, r in enumerate(replicas) if request.prefix > 0 and r.has_prefix(request.prefix)
    ]
    best = min(warm, key=lambda i: loads[i], default=None)
    if best is not None and loads[best] <= min(loads) + most_ahead:
        return best
    return loads.index(min(loads))


@wrong("index-for-position", "Return the position, not the index.")
def gives_index(request, replicas, most_ahead):
    return replicas[_route(request, replicas, most_ahead)].index


@wrong("nothing-refused", "Raise ValueError for no replica, and for most_ahead below 0.")
def nothing_refused(request, replicas, most_ahead):
    return _route(request, replicas, max(0, most_ahead)) if replicas else 0
