"""compressed-models: six models rebuilt from their weights; sparsity counted, accuracy measured."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import sentiment

PARTS = {"teacher": 0.2, "pruned": 0.4, "students": 0.4}
BANK_SEEDS = 1
HINTS = (
    "'models': {name: arrays_of(model) for name, model in models.items()}.",
    "'accuracy': {name: row['accuracy'] for name, row in table.items()}, of these same models.",
    "Run the cells again in order after a change: the models must be those that were measured.",
)
PRUNED = {"pruned 30%": 0.3, "pruned 50%": 0.5, "pruned 70%": 0.7}
KINDS = {
    "teacher": "teacher", **dict.fromkeys(PRUNED, "teacher"),
    "student": "student", "pruned student": "student",
}  # fmt: skip
LEAST_TEACHER = {"SST-2": 0.78, "the generated reviews": 0.90}
# Accuracy on unseen test sentences below that on dev: 1,472 sentences tell 8 points (4 standard
# errors) from chance; a model that learned the dev sentences loses 15 or more.
MOST_LEAK = 0.08
# Points that 50 % sparsity may cost: 2, and the standard error of a paired drop on 1,472 sentences.
MOST_LOST = 0.03
STUDENT_SHARE = 0.95
STUDENT_SPARSITY = 0.3
# An argmax may turn where two logits are nearly equal: another CPU, or a GPU.
NEAR = 0.006


def cases(rng):
    for part in PARTS:
        yield case(f"the {part}", part)


def probe(solution):
    return solution()


def judge(case, answer):
    found = expect.mapping(answer, ("models", "accuracy"))
    models = expect.mapping(found["models"], tuple(KINDS))
    claims = expect.mapping(found["accuracy"], tuple(KINDS))
    names = {"teacher": ("teacher",), "pruned": tuple(PRUNED)}
    chosen = names.get(case.part, ("student", "pruned student"))
    for name in ("teacher", *chosen):
        _form(name, models[name])
    if case.part == "teacher":
        _teacher(models["teacher"])
    elif case.part == "pruned":
        _pruned(models)
    else:
        _students(models)
    for name in chosen:
        accuracy = float(sentiment.right_answers(KINDS[name], models[name]).mean())
        expect.number(claims[name], accuracy, f"accuracy of {name}", rtol=0.0, atol=NEAR,
                      cause="The number does not belong to these weights.", hint=HINTS[2])  # fmt: skip


def _form(name, arrays):
    shapes = sentiment.shapes(KINDS[name])
    expect.mapping(arrays, tuple(shapes))
    for key, shape in shapes.items():
        expect.array(arrays[key], f"{name}: {key}", shape=shape, dtype=np.float32)
        expect.that(bool(np.isfinite(arrays[key]).all()), f"{name}: {key} is not finite.")


def _teacher(arrays):
    real = "the generated reviews" if sentiment.data().is_stand_in else "SST-2"
    dev = float(sentiment.right_answers("teacher", arrays).mean())
    least = LEAST_TEACHER[real]
    expect.that(dev >= least, f"The teacher is too weak on {real}.", yours=f"{dev:.1%} right",
                right=f"{least:.0%} or more", hint="On SST-2 take the shipped teacher.")  # fmt: skip
    _unseen("teacher", "teacher", arrays)


def _unseen(name, kind, arrays):
    dev, test = (
        float(sentiment.right_answers(kind, arrays, split).mean()) for split in ("dev", "test")
    )
    expect.that(
        test >= dev - MOST_LEAK, f"The {name} is much better on the dev sentences than on unseen ones.",
        yours=f"dev {dev:.1%}, unseen {test:.1%}", right="a few points apart at most",
        cause="It was trained on the dev sentences.",
    )  # fmt: skip


def _zeros(name, arrays, sparsity):
    out = {}
    for key in sentiment.pruned_names(KINDS[name]):
        zero = arrays[key] == 0
        count = round(sparsity * zero.size)
        # A weight that was learned may be 0 by itself, though hardly ever.
        expect.that(
            count <= int(zero.sum()) <= count + 2, f"{name}: {key} has the wrong number of zeros.",
            yours=f"{int(zero.sum()):,}", right=f"{count:,} of {zero.size:,}",
            cause="Masks lost in fine-tuning, or another sparsity.",
        )  # fmt: skip
        out[key] = zero
    return out


def _pruned(models):
    zeros = {name: _zeros(name, models[name], sparsity) for name, sparsity in PRUNED.items()}
    for smaller, larger in zip(list(PRUNED), list(PRUNED)[1:], strict=False):
        for key, zero in zeros[smaller].items():
            back = int((zero & ~zeros[larger][key]).sum())
            expect.that(back <= 2, f"{key}: weights removed at {smaller} are back at {larger}.",
                        yours=f"{back:,} of them", right="none",
                        hint="Each round starts from the masks of the one before.")  # fmt: skip
    for name in PRUNED:
        _tuned(name, models[name], models["teacher"], "teacher")
    teacher, half = (_both("teacher", models[name]) for name in ("teacher", "pruned 50%"))
    lost = float(teacher.mean() - half.mean())
    expect.that(lost <= MOST_LOST, "The 50 % model loses too much.", yours=f"{100 * lost:.1f} points",
                right=f"{100 * MOST_LOST:.0f} or fewer", hint="Fine-tune after each round.")  # fmt: skip
    for name in PRUNED:
        _unseen(name, "teacher", models[name])


def _tuned(name, arrays, before, kind):
    """Whether what survives has moved, and not to somewhere else altogether."""
    for key in sentiment.pruned_names(kind):
        live = arrays[key] != 0
        after, start = arrays[key][live].astype(np.float64), before[key][live].astype(np.float64)
        moved, whole = np.linalg.norm(after - start), np.linalg.norm(start)
        # A common factor is no training: what is left when the best one is taken out.
        turned = np.linalg.norm(after - start * (after @ start) / max(start @ start, 1e-30))
        expect.that(
            turned > 1e-4 * whole, f"{name}: the weights of {key} that are left have not been trained.",
            hint="fine_tune after each round, with the masks.",
        )  # fmt: skip
        expect.that(
            moved < 0.8 * whole, f"{name}: {key} does not come from the {kind} that you hand in.",
            yours=f"{moved / whole:.0%} away", right="a fraction of that",
        )  # fmt: skip


def _own(arrays):
    """The shipped student is there to compare with: a copy of it was not distilled here."""
    shipped = sentiment.shipped("student")
    same = [
        key
        for key in sentiment.pruned_names("student")
        if np.array_equal(arrays[key], shipped[key])
    ]
    expect.that(not same, "The student is the shipped one: hand in the one that you distilled.",
                yours=f"{len(same)} matrices equal", right="none",
                hint="new_student() and distillation, as in section 5.")  # fmt: skip


def _students(models):
    _own(models["student"])
    teacher, student = _both("teacher", models["teacher"]), _both("student", models["student"])
    share = float(student.mean() / teacher.mean())
    expect.that(share >= STUDENT_SHARE, "The student keeps too little of the teacher's accuracy.",
                yours=f"{share:.1%} of it", right=f"{STUDENT_SHARE:.0%} or more",
                hint="More epochs of distillation, or a higher rate.")  # fmt: skip
    _unseen("student", "student", models["student"])
    _zeros("pruned student", models["pruned student"], STUDENT_SPARSITY)
    _tuned("pruned student", models["pruned student"], models["student"], "student")
    pruned = _both("student", models["pruned student"])
    lost = float(student.mean() - pruned.mean())
    expect.that(lost <= MOST_LOST, "The pruned student loses too much.",
                yours=f"{100 * lost:.1f} points", right=f"{100 * MOST_LOST:.0f} or fewer")  # fmt: skip
    _unseen("pruned student", "student", models["pruned student"])


def _both(kind, arrays):
    """Right answers on dev and unseen sentences together: twice the sentences, less noise."""
    return np.concatenate([sentiment.right_answers(kind, arrays, s) for s in ("dev", "test")])
