"""Answers to route-cache."""

from autograder.checks.bank import right, wrong


def _cache(prefixes, slots, *, renew=True, evict=0, minus="skip", check=True, over=0):
    if check and slots < 0:
        raise ValueError("slots")
    kept, hits = [], []
    for prefix in prefixes:
        if prefix < 0 and minus == "skip":
            hits.append(False)
            continue
        hit = prefix in kept
        hits.append(hit and (prefix >= 0 or minus == "hit"))
        if hit and renew:
            kept.remove(prefix)
        if not hit or renew:
            kept.append(prefix)
        if len(kept) > max(0, slots + over):
            kept.pop(evict)
    return hits


@right("a list, the oldest first")
def by_list(prefixes, slots):
    return _cache(prefixes, slots)


@right("times of the last use")
def by_time(prefixes, slots):
    if slots < 0:
        raise ValueError("slots")
    used, hits = {}, []
    for at, prefix in enumerate(prefixes):
        hits.append(prefix != -1 and prefix in used)
        if prefix != -1 and slots:
            if prefix not in used and len(used) == slots:
                del used[min(used, key=used.get)]
            used[prefix] = at
    return hits


@wrong("first-in-first-out", "A hit renews the entry: least recently used, not first in.")
def fifo(prefixes, slots):
    return _cache(prefixes, slots, renew=False)


@wrong("most-recent-leaves", "The least recently used leaves.")
def mru(prefixes, slots):
    return _cache(prefixes, slots, evict=-1)


@wrong("never-full", "Only `slots` prefixes fit.")
def never_full(prefixes, slots):
    return _cache(prefixes, slots, over=10**9)


@wrong("one-too-many", "Only `slots` prefixes fit.")
def one_more(prefixes, slots):
    return _cache(prefixes, slots, over=1)


@wrong("one-too-few", "All `slots` may be filled.")
def one_less(prefixes, slots):
    return _cache(prefixes, slots, over=-1)


@wrong("none-is-stored", "-1 is no prefix: it takes no slot.")
def minus_stored(prefixes, slots):
    return _cache(prefixes, slots, minus="store")


@wrong("none-is-a-hit", "-1 is no prefix: never a hit.")
def minus_hit(prefixes, slots):
    return _cache(prefixes, slots, minus="hit")


@wrong("zero-is-none", "Prefix 0 is a prefix like any other.")
def zero(prefixes, slots):
    return _cache([p if p > 0 else -1 for p in prefixes], slots)


@wrong("least-used-leaves", "Least *recently* used: when, not how often.")
def lfu(prefixes, slots):
    if slots < 0:
        raise ValueError("slots")
    uses, hits = {}, []
    for prefix in prefixes:
        hits.append(prefix >= 0 and prefix in uses)
        if prefix >= 0 and slots:
            if prefix not in uses and len(uses) >= slots:
                del uses[min(uses, key=uses.get)]
            uses[prefix] = uses.get(prefix, 0) + 1
    return hits


@wrong("misses-returned", "True is a hit.")
def misses(prefixes, slots):
    return [not hit for hit in _cache(prefixes, slots)]


@wrong("rate-returned", "Return a bool for each request, not the rate.")
def rate(prefixes, slots):
    hits = _cache(prefixes, slots)
    return sum(hits) / max(1, len(hits))


@wrong("nothing-refused", "Raise ValueError for slots below 0.")
def nothing_refused(prefixes, slots):
    return _cache(prefixes, slots, check=False)
