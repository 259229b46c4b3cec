"""Answers to route-payload."""

from autograder.checks.bank import right, wrong


def _choose(kind, pools, request, replicas, *, key=None, empty="all", where=None, tie="first"):
    if not replicas:
        raise ValueError("no replica")
    name = kind(request)
    where = where or (lambda i, r: r.index)
    inside = [i for i, r in enumerate(replicas) if name in pools and where(i, r) in pools[name]]
    if not inside:
        inside = list(range(len(replicas))) if empty == "all" else [0]
    key = key or (lambda r: (r.prompt_tokens_ahead, r.load))
    if tie == "last":
        inside = inside[::-1]
    return min(inside, key=lambda i: key(replicas[i]))


@right("a loop that keeps the best")
def by_loop(kind, pools):
    def router(request, replicas):
        if len(replicas) == 0:
            raise ValueError("no replica")
        pool = pools.get(kind(request))
        for allowed in (pool, None):
            best = None
            for at, replica in enumerate(replicas):
                if allowed is None or replica.index in allowed:
                    figures = (replica.prompt_tokens_ahead, replica.load)
                    if best is None or figures < best[0]:
                        best = figures, at
            if best:
                return best[1]

    return router


@right("sorted, in a class")
class BySort:
    def __init__(self, kind, pools):
        self.kind, self.pools = kind, pools

    def __call__(self, request, replicas):
        return _choose(self.kind, self.pools, request, replicas)


def _variant(**more):
    def made(kind, pools):
        return lambda request, replicas: _choose(kind, pools, request, replicas, **more)

    return made


@wrong("requests-counted", "Compare prompt tokens ahead, not the number of requests.")
def by_load(kind, pools):
    return _variant(key=lambda r: r.load)(kind, pools)


@wrong("queue-counted", "Compare prompt tokens ahead, not the queue's length.")
def by_queue(kind, pools):
    return _variant(key=lambda r: r.queued)(kind, pools)


@wrong("no-second-key", "Of equal work the smaller load wins.")
def no_second(kind, pools):
    return _variant(key=lambda r: r.prompt_tokens_ahead)(kind, pools)


@wrong("last-of-equals", "Of equals the first wins.")
def last(kind, pools):
    return _variant(tie="last")(kind, pools)


@wrong("most-work", "Take the least work.")
def most(kind, pools):
    return _variant(key=lambda r: (-r.prompt_tokens_ahead, r.load))(kind, pools)


@wrong("pool-of-positions", "Pools hold indexes; positions shift when replicas fail.")
def positions(kind, pools):
    return _variant(where=lambda i, r: i)(kind, pools)


@wrong("stuck-when-the-pool-is-down", "With none of the pool up every replica is allowed.")
def stuck(kind, pools):
    return _variant(empty="first")(kind, pools)


@wrong("pools-ignored", "A request goes to its kind's pool.")
def ignored(kind, pools):
    def router(request, replicas):
        kind(request)
        return _choose(lambda r: None, {}, request, replicas)

    return router


@wrong("missing-key", "A kind without a pool may go anywhere.")
def missing_key(kind, pools):
    def router(request, replicas):
        pools[kind(request)]
        return _choose(lambda r: "x", {}, request, replicas)

    return router


@wrong("index-for-position", "Return the position, not the replica's index.")
def gives_index(kind, pools):
    return lambda request, replicas: replicas[_choose(kind, pools, request, replicas)].index


@wrong(
    "position-in-the-pool", "Return the position in `replicas`, not in the list of those allowed."
)
def in_pool(kind, pools):
    def router(request, replicas):
        if not replicas:
            raise ValueError("no replica")
        pool = pools.get(kind(request), ())
        allowed = [r for r in replicas if r.index in pool] or replicas
        return min(
            range(len(allowed)), key=lambda i: (allowed[i].prompt_tokens_ahead, allowed[i].load)
        )

    return router


@wrong("kind-called-for-each-replica", "kind(request) is called once a request.")
def called_often(kind, pools):
    def router(request, replicas):
        if not replicas:
            raise ValueError("no replica")
        allowed = [i for i, r in enumerate(replicas) if r.index in pools.get(kind(request), ())]
        allowed = allowed or range(len(replicas))
        return min(allowed, key=lambda i: (replicas[i].prompt_tokens_ahead, replicas[i].load))

    return router


@wrong("pools-changed", "Do not add to the pools that were given.")
def pools_changed(kind, pools):
    def router(request, replicas):
        pools.setdefault(kind(request), set()).add(10**6)
        return _choose(kind, pools, request, replicas)

    return router


@wrong("nothing-refused", "Raise ValueError when there is no replica.")
def nothing_refused(kind, pools):
    return lambda request, replicas: _choose(kind, pools, request, replicas) if replicas else 0
