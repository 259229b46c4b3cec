"""Kernels and precisions of a toy graph, by sets and fixed points rather than by walking along chains."""

ANCHORS = ("Conv", "MatMul")
COMMUTING = ("MaxPool", "Relu", "Reshape", "Transpose")
BOTH_SIDES = ("Add", "AveragePool")
FLOAT, IN_ONLY, FULL = "float", "int8 in, float out", "int8"


def readers(nodes) -> dict[str, list[str]]:
    """tensor -> names of the nodes that read it, once for each reading."""
    found = {}
    for node in nodes:
        for tensor in node["inputs"]:
            found.setdefault(tensor, []).append(node["name"])
    return found


def kernels(nodes, outputs) -> list[list[str]]:
    """Vertical, then horizontal fusion; kernels by first node, names in the graph's order."""
    by_name, reads = {n["name"]: n for n in nodes}, readers(nodes)
    place = {n["name"]: i for i, n in enumerate(nodes)}
    owner = {name: name for name in by_name}
    # Which node joins the kernel of the node it reads: decided edge by edge, in the graph's order.
    for node in nodes:
        if node["op"] not in ("BatchNorm", "Relu"):
            continue
        source = node["inputs"][0]
        if source not in by_name or source in outputs or reads[source] != [node["name"]]:
            continue
        ops = [n["op"] for n in nodes if owner[n["name"]] == owner[source]]
        fits = (
            ops[0] in ANCHORS
            and (node["op"] == "Relu" or "BatchNorm" not in ops)
            and "Relu" not in ops
        )
        if fits:
            owner[node["name"]] = owner[source]
    merged = {}
    for head in by_name:
        members = [n for n in nodes if owner[n["name"]] == head]
        if not members:
            continue
        first = by_name[head]
        key = (head,)
        if first["op"] in ANCHORS:
            key = (
                first["op"],
                tuple(first["inputs"]),
                first.get("kernel"),
                tuple(m["op"] for m in members),
            )
        merged.setdefault(key, []).extend(m["name"] for m in members)
    groups = [sorted(group, key=place.get) for group in merged.values()]
    return sorted(groups, key=lambda group: place[group[0]])


def precisions(nodes, outputs) -> dict[str, str]:
    """The precision of each node that is no Quantize or Dequantize node, to a fixed point."""
    by_name, reads = {n["name"]: n for n in nodes}, readers(nodes)
    forward = {n["name"] for n in nodes if n["op"] == "Dequantize"}
    backward = {n["name"] for n in nodes if n["op"] == "Quantize"}
    for _ in nodes:
        forward |= {n["name"] for n in nodes if n["op"] in COMMUTING and n["inputs"][0] in forward}
        for node in nodes:
            heard = reads.get(node["name"], [])
            if (
                node["op"] in COMMUTING
                and node["name"] not in outputs
                and heard
                and set(heard) <= backward
            ):
                backward.add(node["name"])
    result = {}
    for node in nodes:
        name, op = node["name"], node["op"]
        heard = reads.get(name, [])
        low_in = all(tensor in forward for tensor in node["inputs"])
        low_out = bool(heard) and name not in outputs and set(heard) <= backward
        if op in ANCHORS:
            result[name] = FULL if low_in and low_out else IN_ONLY if low_in else FLOAT
        elif op in BOTH_SIDES:
            result[name] = FULL if low_in and low_out else FLOAT
        elif op in COMMUTING:
            result[name] = FULL if name in forward or name in backward else FLOAT
        elif op not in ("Quantize", "Dequantize"):
            result[name] = FLOAT
    return {name: result[name] for name in by_name if name in result}
