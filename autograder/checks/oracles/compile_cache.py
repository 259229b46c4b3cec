"""Which compiled artifact serves each call: torch.compile's cache for one function of one tensor."""


def served(mode: str, sizes: list[int], limit: int) -> list[tuple[bool, str]]:
    """(compiled now?, "eager", "static" or "dynamic") for each call.

    mode: "static" (dynamic=False) or "automatic" (the default). The cache is a list of predicates, the
    newest first, as Dynamo asks its guards.
    """
    cache, calls = [], []
    for size in sizes:
        kind = next((kind for fits, kind in cache if fits(size)), None)
        made = kind is None and len(cache) < limit
        if made:
            special = size in (0, 1) or not cache or mode == "static"
            kind = "static" if special else "dynamic"
            fits = (lambda n, size=size: n == size) if special else (lambda n: n > 1)
            cache.insert(0, (fits, kind))
        calls.append((made, kind or "eager"))
    return calls
