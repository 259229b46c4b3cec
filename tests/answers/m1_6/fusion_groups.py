"""Answers to fusion-groups."""

from itertools import product

from autograder.checks.bank import right, wrong


def _fits(kinds):
    if "matmul" in kinds and "reduction" in kinds:
        return False
    return "matmul" not in kinds[1:] and "reduction" not in kinds[:-1]


def _bytes(operators, i, j, size_bytes, keep, *, outside=True, kept=True, inner=False, distinct=True,
           writes=True):  # fmt: skip
    made = [output for _, _, output in operators[i:j]]
    used = [name for _, inputs, _ in operators[i:j] for name in inputs]
    if distinct:
        used = sorted(set(used))
    rest = [*operators[:i], *operators[j:]] if outside else []
    needed = {name for _, inputs, _ in rest for name in inputs} | (set(keep) if kept else set())
    read = sum(size_bytes[n] for n in used if inner or n not in made)
    return read + (sum(size_bytes[n] for n in made if n in needed) if writes else 0)


def _best(operators, cost):
    """Dynamic programming over where the last group starts."""
    best, start = [0], [0]
    for j in range(1, len(operators) + 1):
        value, i = min((best[i] + cost(i, j), i) for i in range(j))
        best.append(value)
        start.append(i)
    groups, j = [], len(operators)
    while j > 0:
        groups.insert(0, list(range(start[j], j)))
        j = start[j]
    return groups


def _groups(operators, size_bytes, keep, launch, fits=_fits, **rules):
    def cost(i, j):
        if not fits([kind for kind, _, _ in operators[i:j]]):
            return float("inf")
        return launch + _bytes(operators, i, j, size_bytes, keep, **rules)

    return _best(operators, cost)


def _greedy(operators, fits=_fits):
    groups = []
    for index, (kind, _, _) in enumerate(operators):
        if groups and fits([operators[i][0] for i in groups[-1]] + [kind]):
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


@right("dynamic programming")
def programmed(operators, size_bytes, keep, launch_bytes):
    return _groups(operators, size_bytes, keep, launch_bytes)


@right("all ways to cut")
def all_cuts(operators, size_bytes, keep, launch_bytes):
    count, found = len(operators), None
    for cuts in product((True, False), repeat=max(0, count - 1)):
        groups = [[0]] if count else []
        for index, cut in enumerate(cuts, start=1):
            groups.append([index]) if cut else groups[-1].append(index)
        if all(_fits([operators[i][0] for i in g]) for g in groups):
            total = sum(
                launch_bytes + _bytes(operators, g[0], g[-1] + 1, size_bytes, keep) for g in groups
            )
            if found is None or total <= found[0]:
                found = total, groups
    return [tuple(g) for g in found[1]]


@right("from the back, with memory")
def from_the_back(operators, size_bytes, keep, launch_bytes):
    memory = {len(operators): (0, [])}
    for i in reversed(range(len(operators))):
        choices = []
        for j in range(i + 1, len(operators) + 1):
            if _fits([kind for kind, _, _ in operators[i:j]]):
                total, groups = memory[j]
                own = launch_bytes + _bytes(operators, i, j, size_bytes, keep)
                choices.append((total + own, [list(range(i, j)), *groups]))
        memory[i] = min(choices, key=lambda choice: choice[0])
    return memory[0][1]


@wrong("each-alone", "Nothing is fused: the groups of one operator are the most expensive way.")
def alone(operators, size_bytes, keep, launch_bytes):
    return [[i] for i in range(len(operators))]


@wrong("all-in-one", "A matmul only begins a group and a reduction only ends one.")
def together(operators, size_bytes, keep, launch_bytes):
    return [list(range(len(operators)))] if operators else []


@wrong(
    "greedy-from-the-front",
    "The longest group from the front need not be the cheapest: bytes decide.",
)
def greedy(operators, size_bytes, keep, launch_bytes):
    return _greedy(operators)


@wrong(
    "greedy-from-the-back",
    "The longest group from the back need not be the cheapest: bytes decide.",
)
def greedy_back(operators, size_bytes, keep, launch_bytes):
    groups, end = [], len(operators)
    while end:
        i = end - 1
        while i and _fits([kind for kind, _, _ in operators[i - 1 : end]]):
            i -= 1
        groups.insert(0, list(range(i, end)))
        end = i
    return groups


@wrong("matmul-anywhere", "A matmul may only begin a group.")
def matmul_anywhere(operators, size_bytes, keep, launch_bytes):
    def fits(kinds):
        return kinds.count("matmul") < 2 and "reduction" not in kinds[:-1] and not {
            "matmul", "reduction"} <= set(kinds)  # fmt: skip

    return _groups(operators, size_bytes, keep, launch_bytes, fits)


@wrong("reduction-anywhere", "A reduction may only end a group.")
def reduction_anywhere(operators, size_bytes, keep, launch_bytes):
    def fits(kinds):
        return "matmul" not in kinds[1:] and not {"matmul", "reduction"} <= set(kinds)

    return _groups(operators, size_bytes, keep, launch_bytes, fits)


@wrong("matmul-with-reduction", "No group has a matmul and a reduction.")
def both(operators, size_bytes, keep, launch_bytes):
    def fits(kinds):
        return "matmul" not in kinds[1:] and "reduction" not in kinds[:-1]

    return _groups(operators, size_bytes, keep, launch_bytes, fits)


@wrong("fewest-groups", "The fewest groups need not move the fewest bytes.")
def fewest(operators, size_bytes, keep, launch_bytes):
    return _best(
        operators, lambda i, j: 1 if _fits([k for k, _, _ in operators[i:j]]) else float("inf")
    )


@wrong("launches-forgotten", "Each group costs launch_bytes too.")
def no_launch(operators, size_bytes, keep, launch_bytes):
    groups = _groups(operators, size_bytes, keep, 0)
    # Where a merge saves no byte, this way sees no reason for it.
    apart = []
    for group in groups:
        apart.append(group[:1])
        for i in group[1:]:
            i0 = apart[-1][0]
            saved = (
                _bytes(operators, i0, i, size_bytes, keep)
                + _bytes(operators, i, i + 1, size_bytes, keep)
                - _bytes(operators, i0, i + 1, size_bytes, keep)
            )
            apart[-1].append(i) if saved > 0 else apart.append([i])
    return apart


@wrong("writes-forgotten", "What a later group or the caller needs is written, and costs bytes.")
def no_writes(operators, size_bytes, keep, launch_bytes):
    return _groups(operators, size_bytes, keep, launch_bytes, writes=False)


@wrong(
    "reads-for-each-operator", "A group reads a tensor once, however many of its operators use it."
)
def read_again(operators, size_bytes, keep, launch_bytes):
    return _groups(operators, size_bytes, keep, launch_bytes, distinct=False)


@wrong("side-inputs-free", "A group reads all tensors from outside, not the chain's alone.")
def chain_only(operators, size_bytes, keep, launch_bytes):
    chain = [(kind, inputs[:1], output) for kind, inputs, output in operators]
    return _groups(chain, size_bytes, keep, launch_bytes)


@wrong(
    "all-outputs-written",
    "Outputs that nobody outside needs are not written: fusing saves these bytes.",
)
def all_written(operators, size_bytes, keep, launch_bytes):
    everything = {output for _, _, output in operators}
    return _groups(operators, size_bytes, everything, launch_bytes)


@wrong("each-tensor-one-byte", "Tensors have sizes: count bytes, not tensors.")
def counted(operators, size_bytes, keep, launch_bytes):
    return _groups(operators, dict.fromkeys(size_bytes, 1), keep, 0.001)


@wrong("lengths-of-groups", "Give the indexes of each group.")
def lengths(operators, size_bytes, keep, launch_bytes):
    return [len(g) for g in programmed(operators, size_bytes, keep, launch_bytes)]


@wrong("groups-backwards", "Groups in the order of the operators, indexes ascending.")
def backwards(operators, size_bytes, keep, launch_bytes):
    return programmed(operators, size_bytes, keep, launch_bytes)[::-1]
