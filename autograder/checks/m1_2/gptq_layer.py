"""gptq-layer: dead columns, damping, order of solving, groups, and everything put back in place."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import gptq

PARTS = {"natural": 0.4, "act order": 0.35, "edges": 0.25}
HINTS = (
    "If it calls the functions above, get their checks right first.",
    "damp_hessian first: it returns the Hessian and the weights that all later steps use.",
    "Permute w[:, order] and h[order][:, order]; put codes back with np.argsort(order).",
    "g_idx = (np.arange(K) // group_size)[back]; weight uses scales[:, g_idx], zeros[:, g_idx].",
)


def _safe(h, share):
    """The dead columns, and the Hessian with ones there and the damping added."""
    dead = np.diag(h) == 0
    h = h + np.diag(dead.astype(np.float64))
    return dead, h + share * np.trace(h) / len(h) * np.eye(len(h))


def _reference(w, hessian, bits=4, group_size=128, percdamp=0.01, desc_act=False):
    """The answer in w's own order of columns, and each row's margin."""
    dead, h = _safe(hessian, percdamp)
    columns = w.shape[1]
    order = list(range(columns))
    if desc_act:
        order.sort(key=lambda j: -h[j, j])  # Python's sort is stable
    w = np.where(dead, 0.0, w)
    solved = gptq.solve(w[:, order], h[np.ix_(order, order)], bits, group_size)
    codes, weight = np.zeros(w.shape, np.uint8), np.zeros(w.shape)
    g_idx = np.zeros(columns, int)
    for place, column in enumerate(order):
        codes[:, column] = solved.codes[:, place]
        weight[:, column] = solved.restored[:, place]
        g_idx[column] = place // group_size
    made = {"codes": codes, "scales": solved.scales, "zeros": solved.zeros, "g_idx": g_idx}
    return made | {"weight": weight}, solved.margin


def _layer(rng, rows, columns, dead=(), equal=False, tokens=4, **options):
    x = gptq.inputs(rng, tokens * columns, columns)
    x[:, list(dead)] = 0
    h = gptq.hessian(x, 0)
    if dead:  # the dead columns' ones then lie in the middle of the order, not at its end
        h /= np.median(np.diag(h)[np.diag(h) > 0])
    if equal:  # every diagonal element 2, in pairs of 2 and 4
        size = np.sqrt(np.diag(h))
        h = 2 * h / np.outer(size, size)
        np.fill_diagonal(h, np.where(np.arange(columns) % 2, 2.0, 4.0))
    w = gptq.steady_rows(rng, rows, columns, lambda w: _reference(w, h, **options)[1])
    return {"w": w, "hessian": h, "options": options}


def cases(rng):
    yield case("3 x 8, groups of 4", part="natural", **_layer(rng, 3, 8, bits=3, group_size=4))
    yield case("8 x 128, defaults", part="natural", **_layer(rng, 8, 128))
    yield case(
        "16 x 48, 3 bits, one group", part="natural", **_layer(rng, 16, 48, bits=3, group_size=48)
    )
    yield case(
        "16 x 16, 2 bits, damping 0.1",
        part="natural",
        **_layer(rng, 16, 16, bits=2, group_size=8, percdamp=0.1),
    )
    act = {"desc_act": True}
    yield case(
        "4 x 8, groups of 2", part="act order", **_layer(rng, 4, 8, bits=3, group_size=2, **act)
    )
    yield case(
        "12 x 48, groups of 16",
        part="act order",
        **_layer(rng, 12, 48, bits=3, group_size=16, **act),
    )
    yield case(
        "16 x 16, one group", part="act order", **_layer(rng, 16, 16, bits=4, group_size=16, **act)
    )
    yield case(
        "equal diagonals",
        part="act order",
        **_layer(rng, 5, 40, equal=True, bits=4, group_size=8, **act),
    )
    yield case("two dead columns", part="edges", **_layer(rng, 6, 12, [1, 7], bits=4, group_size=4))
    yield case(
        "two dead columns, act order",
        part="edges",
        **_layer(rng, 6, 12, [0, 5], bits=3, group_size=3, **act),
    )
    yield case(
        "half as many tokens as columns",
        part="edges",
        **_few(rng, 4, 16, bits=4, group_size=8, percdamp=0.05),
    )
    yield case("8 bits", part="edges", **_layer(rng, 4, 12, bits=8, group_size=12))
    given = _layer(rng, 3, 12, bits=4, group_size=4)
    w, h = given["w"], given["hessian"]
    for label, changed in (
        ("12 columns in groups of 5", {"options": {"group_size": 5}}),
        ("12 columns in groups of 128", {"options": {}}),
        ("negative damping", {"options": {"group_size": 4, "percdamp": -0.1}}),
        ("a Hessian of another layer", {"hessian": h[:8, :8]}),
        ("a singular Hessian, not damped", {"w": w[:, :4], "hessian": np.ones((4, 4)),
                                            "options": {"group_size": 4, "percdamp": 0.0}}),
    ):  # fmt: skip
        yield case(label, part="edges", refuse=True, **(given | changed))


def _few(rng, rows, columns, **options):
    h = gptq.hessian(gptq.inputs(rng, columns // 2, columns), 0)
    w = gptq.steady_rows(rng, rows, columns, lambda w: _reference(w, h, **options)[1])
    return {"w": w, "hessian": h, "options": options}


def probe(solution, w, hessian, options, refuse=False):
    if not refuse:
        return solution(w, hessian, **options)
    try:
        solution(w, hessian, **options)
    except NotImplementedError:
        raise
    except Exception as error:
        kind = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        return {"raised": kind}
    return {"raised": None}


def judge(case, answer):
    if case.inputs.get("refuse"):
        expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
        return
    expect.mapping(answer, ("codes", "scales", "zeros", "g_idx", "weight"))
    want, _ = _reference(case.w, case.hessian, **case.options)
    expect.array(answer["codes"], "codes", shape=case.w.shape, dtype=np.uint8)
    expect.array(answer["scales"], "scales", shape=want["scales"].shape, dtype=np.float64)
    expect.array(answer["zeros"], "zeros", shape=want["zeros"].shape, dtype=np.float64)
    g_idx = expect.array(answer["g_idx"], "g_idx", shape=want["g_idx"].shape)
    expect.that(
        g_idx.dtype.kind in "iu",
        "`g_idx` holds integers.",
        stage="dtype",
        yours=str(g_idx.dtype),
        right="an integer dtype",
    )
    expect.array(answer["weight"], "weight", shape=case.w.shape, dtype=np.float64)
    expect.codes(g_idx, want["g_idx"], "g_idx", hint="The group of each column, in w's own order.")
    hint = "Groups are cut from the columns in the order of solving, and stay in that order."
    expect.close(answer["scales"], want["scales"], "scales", rtol=1e-7, hint=hint)
    expect.close(answer["zeros"], want["zeros"], "zeros", rtol=0, hint=hint)
    expect.codes(answer["codes"], want["codes"], "codes", hint=_errors(case, answer, want))
    expect.close(
        answer["weight"],
        want["weight"],
        "weight",
        rtol=1e-7,
        atol=1e-9 * want["scales"].max(),
        hint="(codes - zeros[:, g_idx]) * scales[:, g_idx]: the restored weights.",
    )


def _errors(case, answer, want) -> str:
    """The relative output errors of both, since that is what the codes are for."""
    power = gptq.relative_error(case.w, np.zeros_like(case.w), case.hessian)
    if not power or not np.isfinite(answer["weight"]).all():
        return ""
    ours = gptq.relative_error(case.w, want["weight"], case.hessian)
    yours = gptq.relative_error(case.w, answer["weight"], case.hessian)
    return f"Relative output error: yours {yours:.3g}, right {ours:.3g}."
