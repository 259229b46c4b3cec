"""Answers to fuse-layers."""

from collections import defaultdict

from autograder.checks.bank import right, wrong


def _plan(
    nodes,
    outputs,
    *,
    starts=("Conv", "MatMul"),
    allowed=("BatchNorm", "Relu"),
    single=True,
    check_outputs=True,
    repeat=False,
    ordered=True,
    merge=True,
    key=None,
    merge_all=False,
    sort=True,
    first_reader=False,
):
    place = {n["name"]: i for i, n in enumerate(nodes)}
    readers = defaultdict(list)
    for node in nodes:
        for tensor in node["inputs"]:
            readers[tensor].append(node)
    taken, groups = set(), {}
    for node in nodes:
        if node["name"] in taken:
            continue
        chain, rest = [node], list(allowed)
        while node["op"] in starts:
            last = chain[-1]["name"]
            following = [n for n in readers[last] if n["name"] not in taken]
            if check_outputs and last in outputs:
                break
            if (
                not following
                or (single and len(readers[last]) != 1)
                or following[0]["op"] not in rest
            ):
                break
            if following[0] in chain:
                break
            chain.append(following[0])
            if not repeat:
                at = rest.index(following[0]["op"])
                rest = rest[at + 1 :] if ordered else rest[:at] + rest[at + 1 :]
        taken |= {n["name"] for n in chain}
        name = (node["name"],)
        if merge and (node["op"] in starts or merge_all):
            full = (
                node["op"],
                tuple(node["inputs"]),
                node.get("kernel"),
                tuple(n["op"] for n in chain),
            )
            name = key(node, chain) if key else full
        groups.setdefault(name, []).extend(n["name"] for n in chain)
    found = [sorted(g, key=place.get) for g in groups.values()]
    return sorted(found, key=lambda g: place[g[0]]) if sort else found


@right("walk along the chain")
def walk(nodes, outputs):
    return _plan(nodes, outputs)


@right("backwards, with sets")
def backwards(nodes, outputs):
    index = {n["name"]: i for i, n in enumerate(nodes)}
    count = defaultdict(int)
    for node in nodes:
        for tensor in node["inputs"]:
            count[tensor] += 1
    kernel = {}
    for node in nodes:
        source = node["inputs"][0] if node["inputs"] else None
        parent = kernel.get(source)
        joins = (
            node["op"] in ("BatchNorm", "Relu")
            and parent is not None
            and count[source] == 1
            and source not in outputs
            and parent[-1]["name"] == source
            and parent[0]["op"] in ("Conv", "MatMul")
            and (
                parent[-1]["op"] in ("Conv", "MatMul")
                or (parent[-1]["op"] == "BatchNorm" and node["op"] == "Relu")
            )
        )
        if joins:
            parent.append(node)
            kernel[node["name"]] = parent
        else:
            kernel[node["name"]] = [node]
    chains = list({id(k): k for k in kernel.values()}.values())
    merged = defaultdict(list)
    for chain in chains:
        head = chain[0]
        alike = (
            head["op"],
            tuple(head["inputs"]),
            head.get("kernel", 0),
            "+".join(n["op"] for n in chain),
        )
        merged[alike if head["op"] in ("Conv", "MatMul") else head["name"]] += chain
    plans = [
        [n["name"] for n in sorted(k, key=lambda n: index[n["name"]])] for k in merged.values()
    ]
    return sorted(plans, key=lambda names: index[names[0]])


@wrong("nothing-fused", "Every node is a kernel of its own in your plan.")
def nothing(nodes, outputs):
    return [[n["name"]] for n in nodes]


@wrong("everything-fused", "You put the whole graph into one kernel.")
def everything(nodes, outputs):
    return [[n["name"] for n in nodes]]


@wrong(
    "several-readers-ignored",
    "A tensor that a second node reads must be written: fusion ends there.",
)
def shared(nodes, outputs):
    return _plan(nodes, outputs, single=False)


@wrong("outputs-ignored", "A tensor that the network returns must be written: fusion ends there.")
def no_outputs(nodes, outputs):
    return _plan(nodes, outputs, check_outputs=False)


@wrong("relu-only", "A BatchNorm joins too: it is a scale and a shift.")
def relu(nodes, outputs):
    return _plan(nodes, outputs, allowed=("Relu",))


@wrong("batchnorm-only", "A Relu joins too.")
def norm(nodes, outputs):
    return _plan(nodes, outputs, allowed=("BatchNorm",))


@wrong("only-with-batchnorm", "A Relu may stand directly behind the Conv.")
def needs_norm(nodes, outputs):
    return [k for g in _plan(nodes, outputs) for k in _split(g, nodes)]


def _split(group, nodes):
    ops = {n["name"]: n["op"] for n in nodes}
    kinds = [ops[name] for name in group]
    return [[name] for name in group] if "Relu" in kinds and "BatchNorm" not in kinds else [group]


@wrong(
    "any-order",
    "BatchNorm behind a Relu does not join: it can no longer be folded into the weights.",
)
def any_order(nodes, outputs):
    return _plan(nodes, outputs, ordered=False)


@wrong("endless-chains", "At most one BatchNorm and one Relu join.")
def endless(nodes, outputs):
    return _plan(nodes, outputs, repeat=True)


@wrong("pools-join", "MaxPool does not join by these rules.")
def pools(nodes, outputs):
    return _plan(nodes, outputs, allowed=("BatchNorm", "Relu", "MaxPool"))


@wrong("add-joins", "Add does not join by these rules.")
def add(nodes, outputs):
    return _plan(nodes, outputs, allowed=("BatchNorm", "Add", "Relu"))


@wrong("conv-only", "A MatMul starts a chain too.")
def conv(nodes, outputs):
    return _plan(nodes, outputs, starts=("Conv",))


@wrong("any-start", "Only Conv and MatMul start a chain.")
def any_start(nodes, outputs):
    return _plan(nodes, outputs, starts=("Conv", "MatMul", "BatchNorm", "MaxPool", "Add"))


@wrong("no-horizontal", "Chains side by side that read the same input merge.")
def vertical_only(nodes, outputs):
    return _plan(nodes, outputs, merge=False)


@wrong("kernel-size-ignored", "Only Convs of the same kernel size merge.")
def any_kernel(nodes, outputs):
    return _plan(
        nodes,
        outputs,
        key=lambda n, chain: (n["op"], tuple(n["inputs"]), tuple(c["op"] for c in chain)),
    )


@wrong("ops-ignored", "Chains merge only if their lists of ops are equal.")
def any_ops(nodes, outputs):
    return _plan(
        nodes, outputs, key=lambda n, chain: (n["op"], tuple(n["inputs"]), n.get("kernel"))
    )


@wrong("lengths-for-ops", "Compare the ops of the chains, not their lengths.")
def by_length(nodes, outputs):
    return _plan(
        nodes,
        outputs,
        key=lambda n, chain: (n["op"], tuple(n["inputs"]), n.get("kernel"), len(chain)),
    )


@wrong("first-input-only", "All inputs must be the same, the weights too.")
def first_input(nodes, outputs):
    return _plan(
        nodes,
        outputs,
        key=lambda n, chain: (
            n["op"],
            n["inputs"][0],
            n.get("kernel"),
            tuple(c["op"] for c in chain),
        ),
    )


@wrong("inputs-ignored", "Chains merge only if they read the same tensors.")
def any_input(nodes, outputs):
    return _plan(
        nodes,
        outputs,
        key=lambda n, chain: (n["op"], n.get("kernel"), tuple(c["op"] for c in chain)),
    )


@wrong("op-ignored", "A Conv and a MatMul do not merge.")
def any_op(nodes, outputs):
    return _plan(
        nodes, outputs, key=lambda n, chain: (tuple(n["inputs"]), tuple(c["op"] for c in chain[1:]))
    )


@wrong("all-nodes-merge", "Only chains that start with Conv or MatMul merge.")
def all_merge(nodes, outputs):
    return _plan(nodes, outputs, merge_all=True)


@wrong("chains-one-after-another", "Within a kernel the names stand in the order of the graph.")
def unsorted_names(nodes, outputs):
    place = {n["name"]: i for i, n in enumerate(nodes)}
    plan = _plan(nodes, outputs, merge=False)
    groups = {}
    by_name = {n["name"]: n for n in nodes}
    for chain in plan:
        head = by_name[chain[0]]
        ops = tuple(by_name[name]["op"] for name in chain)
        key = (
            (head["op"], tuple(head["inputs"]), head.get("kernel"), ops)
            if head["op"] in ("Conv", "MatMul")
            else chain[0]
        )
        groups.setdefault(key, []).extend(chain)
    return sorted(groups.values(), key=lambda g: place[g[0]])


@wrong("kernels-by-last-node", "Kernels stand in the order of their first nodes.")
def by_last(nodes, outputs):
    place = {n["name"]: i for i, n in enumerate(nodes)}
    return sorted(_plan(nodes, outputs), key=lambda g: place[g[-1]])


@wrong("chains-only", "Nodes that join no chain are kernels too.")
def chains_only(nodes, outputs):
    ops = {n["name"]: n["op"] for n in nodes}
    return [g for g in _plan(nodes, outputs) if ops[g[0]] in ("Conv", "MatMul")]


def _head(node):
    return node["op"], tuple(node["inputs"]), node.get("kernel")


@wrong(
    "inputs-in-any-order",
    "x times y is not y times x: the inputs must be the same in the same order.",
)
def any_order_of_inputs(nodes, outputs):
    def key(node, chain):
        return (*_head(node)[::2], frozenset(node["inputs"]), tuple(n["op"] for n in chain))

    return _plan(nodes, outputs, key=key)


@wrong("last-op-compared", "You compare the last ops of the chains; all must be equal.")
def last_op(nodes, outputs):
    return _plan(nodes, outputs, key=lambda node, chain: (*_head(node), chain[-1]["op"]))


@wrong(
    "second-op-compared",
    "You compare the ops behind the first nodes; all of a chain must be equal.",
)
def second_op(nodes, outputs):
    return _plan(
        nodes, outputs, key=lambda node, chain: (*_head(node), *[n["op"] for n in chain[1:2]])
    )


@wrong("relu-compared", "You ask whether both chains have a Relu; all ops must be equal.")
def relu_compared(nodes, outputs):
    def key(node, chain):
        return (*_head(node), any(n["op"] == "Relu" for n in chain))

    return _plan(nodes, outputs, key=key)


@wrong(
    "equal-readers-for-one",
    "Two readers of one kind are two readers all the same: fusion ends there.",
)
def equal_readers(nodes, outputs):
    readers = defaultdict(set)
    for node in nodes:
        for tensor in node["inputs"]:
            readers[tensor].add(node["op"])
    first, single = set(), []
    for node in nodes:
        # Of readers of one kind only the first is shown to the planner.
        seen = [t for t in node["inputs"] if len(readers[t]) > 1 or (t, node["op"]) not in first]
        first |= {(t, node["op"]) for t in node["inputs"]}
        single.append(
            {**node, "inputs": seen if node["op"] in ("Relu", "BatchNorm") else node["inputs"]}
        )
    return _plan(single, outputs)


@right("edge by edge, tuples of names")
def edges(nodes, outputs):
    reads = defaultdict(list)
    for node in nodes:
        for tensor in node["inputs"]:
            reads[tensor].append(node["name"])
    by_name, tail = {n["name"]: n for n in nodes}, {}
    for node in nodes:
        source = by_name.get(node["inputs"][0] if node["inputs"] else None)
        chain = tail.get(source["name"]) if source else None
        ops = [by_name[name]["op"] for name in chain] if chain else []
        if (
            ops
            and ops[0] in ("Conv", "MatMul")
            and source["name"] not in outputs
            and len(reads[source["name"]]) == 1
            and "Relu" not in ops
            and (node["op"] == "Relu" or (node["op"] == "BatchNorm" and len(ops) == 1))
        ):
            chain.append(node["name"])
            tail[node["name"]] = chain
        else:
            tail[node["name"]] = [node["name"]]
    merged = {}
    for node in nodes:
        if tail[node["name"]][0] != node["name"]:
            continue
        chain = tail[node["name"]]
        key = (*_head(node), *[by_name[name]["op"] for name in chain])
        key = key if node["op"] in ("Conv", "MatMul") else node["name"]
        merged.setdefault(key, set()).update(chain)
    return [tuple(name for name in by_name if name in group) for group in merged.values()]


@wrong("inner-tensors-not-merged", "Chains of any common input merge, of an inner tensor too.")
def outer_only(nodes, outputs):
    made = {n["name"] for n in nodes}

    def key(node, chain):
        inner = made & set(node["inputs"])
        return (*_head(node), *[node["name"] if inner else ""], *[n["op"] for n in chain])

    return _plan(nodes, outputs, key=key)
