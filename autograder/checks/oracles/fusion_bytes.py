"""Memory traffic of fused operators, counted tensor by tensor, and the best groups by trying all."""

from itertools import combinations


def traffic(operators, chosen, size_bytes, keep):
    """Bytes that one kernel for the operators `chosen` (their indexes) reads and writes.

    operators: (kind, inputs, output) in order. A tensor is read if a chosen operator uses it and none
    makes it; written if a chosen one makes it and it is kept or used outside.
    """
    total = 0
    for tensor in size_bytes:
        made = any(operators[i][2] == tensor for i in chosen)
        used = {i for i, (_, inputs, _) in enumerate(operators) if tensor in inputs}
        if made and (tensor in keep or used - set(chosen)):
            total += size_bytes[tensor]
        if not made and used & set(chosen):
            total += size_bytes[tensor]
    return total


def allowed(kinds):
    """Whether operators of these kinds, in this order, may be one kernel."""
    return (
        "matmul" not in kinds[1:]
        and "reduction" not in kinds[:-1]
        and not ("matmul" in kinds and "reduction" in kinds)
    )


def partitions(count):
    """All ways to cut range(count) into runs, as lists of ranges."""
    for cuts in range(max(count, 1)):
        for places in combinations(range(1, count), cuts):
            edges = [0, *places, count]
            yield [range(a, b) for a, b in zip(edges, edges[1:], strict=False) if a < b]


def cost(operators, groups, size_bytes, keep, launch_bytes):
    """Bytes of all kernels, with launch_bytes for each."""
    return sum(traffic(operators, list(g), size_bytes, keep) + launch_bytes for g in groups)


def least(operators, size_bytes, keep, launch_bytes):
    """The least cost of all allowed partitions."""
    return min(
        cost(operators, groups, size_bytes, keep, launch_bytes)
        for groups in partitions(len(operators))
        if all(allowed([operators[i][0] for i in g]) for g in groups)
    )
