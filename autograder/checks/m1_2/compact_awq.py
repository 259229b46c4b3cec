"""compact-awq: the alpha of least output error, and the weight restored with its channel scales."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import channel_scales, gptq, weight_only

PARTS = {"alpha": 0.4, "restored weight": 0.45, "refusals": 0.15}
HINTS = (
    "alphas = [k / (points - 1) for k in range(points)]; alpha = 0 is plain rounding.",
    "live = mean_abs > 0; s[live] = mean_abs[live]**alpha, over sqrt(max * min) of those; s = 1 elsewhere.",
    "Candidate: round_to_nearest(w * s) / s, columns of w being inputs.",
    "The loss of a candidate: e = w - candidate; (e @ hessian * e).sum(). Keep the first smallest.",
)


def cases(rng):
    for part in ("alpha", "restored weight"):
        for label, rows, columns, bits, size, points in (
            ("one group", 4, 16, 3, 16, 5),
            ("four groups", 6, 32, 3, 8, 6),
            ("2 bits", 5, 32, 2, 16, 5),
            ("4 bits", 5, 32, 4, 32, 5),
            ("two points: no scales, or all of them", 4, 16, 3, 8, 2),
        ):
            yield case(label, part, **_inputs(rng, rows, columns, bits, size, points))
        yield case("an input that never fires", part, **_inputs(rng, 4, 16, 3, 8, 5, dead=(3,)))
        yield case("inputs that move together", part, **_together(rng))
        yield case("all weights positive", part, **_inputs(rng, 4, 16, 3, 8, 5, positive=True))
        even = _inputs(rng, 4, 16, 3, 8, 5)
        even["mean_abs"] = np.ones(16)
        yield case("inputs all of one size: alpha changes nothing", part, **even)
    fine = _inputs(rng, 3, 8, 3, 4, 3)
    for label, change in (
        ("mean_abs of another length", {"mean_abs": np.ones(7)}),
        ("groups that do not divide the inputs", {"group_size": 3}),
        ("a single point", {"points": 1}),
        ("a negative mean of |x|", {"mean_abs": -np.ones(8)}),
    ):
        yield case(label, "refusals", **{**fine, **change})


def _inputs(rng, rows, columns, bits, size, points, dead=(), positive=False):
    x = gptq.inputs(rng, 8 * columns, columns) * rng.choice([0.2, 1, 1, 8], columns)
    x[:, list(dead)] = 0
    mean_abs = np.abs(x).mean(0)
    hessian = 2 * x.T @ x / len(x)
    scales = [channel_scales.awq(mean_abs, k / max(1, points - 1)) for k in range(points)]

    def draw(rng, r, c):
        w = rng.standard_normal((r, c)) * 0.1
        return (abs(w) + 0.1 if positive else w).astype(np.float32).astype(np.float64)

    def margin(w):
        return np.min([weight_only.rtn_margin(w * s, bits, size) for s in scales], axis=0)

    w = gptq.steady_rows(rng, rows, columns, margin, draw)
    return {"weight": w.astype(np.float32), "mean_abs": mean_abs, "hessian": hessian,
            "bits": bits, "group_size": size, "points": points}  # fmt: skip


def _together(rng):
    """Inputs for which H's diagonal alone would choose another alpha."""
    for _ in range(100):
        made = _inputs(rng, 3, 16, 2, 8, 6)
        w, h = made["weight"].astype(np.float64), made["hessian"]
        tried = weight_only.awq(w, made["mean_abs"], h, 2, 8, 6)
        alone = [((w - restored) ** 2 @ np.diagonal(h)).sum() for _, _, restored in tried]
        if np.argmin(alone) != np.argmin([loss for loss, _, _ in tried]):
            break
    return made


def probe(solution, weight, mean_abs, hessian, bits, group_size, points):
    columns = weight.shape[1]
    bad = len(mean_abs) != columns or columns % group_size or points < 2 or mean_abs.min() < 0
    call = lambda: solution(weight, mean_abs, hessian, bits, group_size, points)  # noqa: E731
    return refusal(call) if bad else call()  # noqa: F821


def judge(case, answer):
    if case.part == "refusals":
        return expect.raised(answer, "ValueError", f"{case.label.capitalize()}: raise ValueError.")
    restored, alpha = expect.sequence(answer, ("restored", "alpha"))
    restored = expect.array(
        restored, "restored", shape=case.weight.shape, dtype=(np.float32, np.float64)
    )
    tried = weight_only.awq(
        case.weight, case.mean_abs, case.hessian, case.bits, case.group_size, case.points
    )
    losses = [loss for loss, _, _ in tried]
    best = int(np.argmin(losses))
    # A tie that float32 may decide either way: all such alphas are right.
    good = [k for k, loss in enumerate(losses) if loss <= losses[best] * (1 + 1e-5)]
    value = expect.number(
        alpha, tried[min(good, key=lambda k: abs(tried[k][1] - _real(alpha)))][1], "alpha", rtol=0,
        atol=1e-6, hint=HINTS[3],
    )  # fmt: skip
    if case.part == "restored weight":
        want = next(r for _, a, r in tried if abs(a - value) < 1e-6)
        step = np.ptp(want) / (2**case.bits - 1) + 1e-9
        expect.close(restored, want, "restored", rtol=1e-4, atol=1e-6, step=step, hint=HINTS[2])
    return None


def _real(value):
    return float(value) if isinstance(value, (int, float)) and np.isfinite(value) else 0.0
