"""sample-completions: exact chains, end tokens, and the distribution by Pearson's chi-squared test."""

import numpy as np
from scipy.stats import chi2

from autograder.checks import case, expect

PARTS = {"chains": 0.35, "distribution": 0.35, "the end": 0.15, "refuse": 0.15}
HINTS = (
    "logits = model(ids)[:, -1]: the last position, (rows, vocabulary).",
    "torch.multinomial(logits.softmax(-1), 1, generator=generator) is (rows, 1).",
    "ended = ended | (new == end_id); before that, new = torch.where(ended, end_id, new).",
    "The whole loop inside torch.no_grad().",
)
# A right sampler is refused by one test in a million.
LEVEL = 1e-6


def cases(rng):
    for rows, length, new in ((1, 1, 1), (3, 4, 5), (2, 7, 12)):
        yield _chain(rng, f"a chain, {rows} x {length}, {new} new", rows, length, new)
    yield _chain(rng, "logits far below zero", 4, 3, 6, shift=-3e3)
    yield _walk(rng, "one step", 18_000, 2, 1, end=99)
    yield _walk(rng, "three steps", 12_000, 3, 3, end=99)
    yield _walk(rng, "rows differ", 15_000, 2, 2, end=99, same=False)
    yield _walk(rng, "an end that may come", 9000, 3, 4, end=2)
    yield _chain(rng, "an end on the way", 5, 3, 9, end=True)
    yield _chain(rng, "an end in the prompt", 4, 4, 4, end="prompt")
    yield _chain(rng, "an end as the prompt's last token", 4, 4, 4, end="last")
    yield _chain(rng, "all rows end early", 3, 2, 8, end="same")
    yield _chain(rng, "prompts of no tokens", 2, 0, 3, good=False)
    yield _chain(rng, "0 new tokens", 2, 3, 0, good=False)
    yield _chain(rng, "-1 new tokens", 2, 3, -1, good=False)
    flat = _chain(rng, "", 1, 5, 3, good=False).inputs
    yield case("prompts without rows", "refuse", **{**flat, "prompts": flat["prompts"][0]})


def _chain(rng, label, rows, length, new, end=False, shift=0.0, good=True):
    """A model that always goes to one next token, told by the last token and the position."""
    size = 9
    logits = np.full((40, size, size), shift)
    logits[np.arange(40)[:, None], np.arange(size), rng.integers(size, size=(40, size))] += 500.0
    prompts = rng.integers(size, size=(rows, length))
    end_id = 99
    if end == "same":
        prompts[:] = prompts[0]
    if end:
        # What the first row draws second: other rows may draw it elsewhere, or never.
        end_id = int(_follow(logits, prompts, new, 99)[0, length + 1])
        if end == "prompt":
            prompts[:, 0] = end_id
    if end == "last":
        # A token after which another one comes.
        following = logits[length - 1].argmax(1)
        end_id = int(np.flatnonzero(following != np.arange(size))[0])
        prompts[:, -1] = end_id
    part = "chains" if good and not end else "the end" if good else "refuse"
    return case(
        label, part, logits=logits, prompts=prompts, new_tokens=new, end_id=end_id, seed=5, good=good
    )  # fmt: skip


def _follow(logits, prompts, new, end_id):
    ids = prompts
    ended = np.zeros(len(ids), bool)
    for _ in range(new):
        token = logits[ids.shape[1] - 1, ids[:, -1]].argmax(1)
        token = np.where(ended, end_id, token)
        ended |= token == end_id
        ids = np.concatenate([ids, token[:, None]], axis=1)
    return ids


def _walk(rng, label, rows, length, new, end, same=True):
    """A model whose next token is drawn by the last token and the position."""
    size = 5
    logits = rng.normal(0, 1.0, (12, size, size))
    prompt = rng.integers(size, size=(1, length))
    prompts = np.repeat(prompt, rows, axis=0)
    if not same:
        prompts[rows // 2 :, -1] = (prompts[0, -1] + 1) % size
    return case(
        label, "distribution", logits=logits, prompts=prompts, new_tokens=new, end_id=end,
        seed=int(rng.integers(1000)), good=True,
    )  # fmt: skip


def probe(solution, logits, prompts, new_tokens, end_id, seed, good):
    import torch

    table = torch.tensor(logits, dtype=torch.float32).requires_grad_()
    tracked = []

    def model(ids):
        out = table[torch.arange(ids.shape[1]), ids]
        tracked.append(out.requires_grad)
        return out

    given = torch.tensor(prompts)

    def run(state, generator=None):
        generator = generator or torch.Generator().manual_seed(state)
        return solution(model, given, new_tokens, end_id, generator)

    if not good:
        return refusal(lambda: run(seed))  # noqa: F821
    torch.manual_seed(1)
    before = torch.get_rng_state()
    # The mode is asked after a call with gradients and inside one without them.
    generator = torch.Generator().manual_seed(seed)
    ids = run(seed, generator)
    out = {"ids": ids, "tracked": any(tracked), "mode_kept": torch.is_grad_enabled()}
    torch.set_grad_enabled(True)
    with torch.no_grad():
        out["next"] = run(seed, generator)
        out["mode_kept"] &= not torch.is_grad_enabled()
    out["global_untouched"] = bool(torch.equal(before, torch.get_rng_state()))
    torch.manual_seed(2)
    out["again"] = run(seed)
    out["other_seed"] = run(seed + 1)
    out["prompts_same"] = bool(torch.equal(given, torch.tensor(prompts)))
    return out


def judge(case, answer):
    if not case.good:
        expect.raised(answer, "ValueError", f"{case.label}: raise ValueError.")
        return
    expect.mapping(answer, ("ids", "again", "tracked"))
    rows, length = case.prompts.shape
    shape = (rows, length + case.new_tokens)
    ids = expect.tensor(answer["ids"], "the result", shape=shape, dtype="torch.int64")
    expect.codes(ids[:, :length], case.prompts, "the prompts in the result")
    expect.that(
        not answer["tracked"],
        "The model ran with gradients: each token's graph is stored for nothing.",
        hint="with torch.no_grad(): around the loop.",
    )
    expect.that(answer["prompts_same"], "`prompts` was changed.", stage="mutation",
                hint="torch.cat makes a new tensor; ids[:, k] = ... writes into the old one.")  # fmt: skip
    expect.that(
        answer["mode_kept"],
        "torch's gradient mode is another after your function: later code runs with it.",
        stage="mutation",
        hint="with torch.no_grad(): puts back what it found; set_grad_enabled does not.",
    )
    again = expect.tensor(answer["again"], "the result of a second call", shape=shape)
    if case.part != "distribution":
        want = _follow(case.logits, case.prompts, case.new_tokens, case.end_id)
        expect.codes(
            ids, want, "the result",
            hint="The logits of the last position give the next token; after an end all are end_id.",
        )  # fmt: skip
        return
    expect.that(
        np.array_equal(ids, again) and answer["global_untouched"],
        "The same generator state gave other tokens: there is a second source of randomness.",
        hint="torch.multinomial(p, 1, generator=generator)",
    )
    other = expect.tensor(answer["other_seed"], "the result of another seed", shape=shape)
    expect.that(
        not np.array_equal(ids, other), "Another seed gives the same tokens: nothing is drawn."
    )
    following = expect.tensor(answer["next"], "the result of the generator's next use", shape=shape)
    expect.that(
        not np.array_equal(ids, following),
        "Two calls with one generator give the same tokens: its state does not move on.",
        hint="Draw from the generator that you are given, not from a copy or from its seed.",
    )
    _distribution(case, ids)


def _distribution(case, ids):
    """Each new token by its last token: counts against the model's probabilities."""
    length = case.prompts.shape[1]
    size = case.logits.shape[-1]
    ended = np.zeros(len(ids), bool)
    statistic, freedom = 0.0, 0
    for at in range(length, ids.shape[1]):
        expect.that(
            bool((ids[ended, at] == case.end_id).all()),
            "A row goes on after its end token.",
            hint="After end_id the rest of a row is end_id.",
        )
        z = case.logits[at - 1]
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        for last in range(size):
            rows = (ids[:, at - 1] == last) & ~ended
            if rows.sum() < 100:
                continue
            counts = np.bincount(ids[rows, at], minlength=size)
            expect.that(len(counts) == size, "A token outside the vocabulary was drawn.")
            want = rows.sum() * p[last]
            kept = want >= 5
            statistic += float(((counts - want) ** 2 / want)[kept].sum())
            freedom += int(kept.sum()) - (1 if kept.all() else 0)
        ended |= ids[:, at] == case.end_id
    limit = float(chi2.ppf(1 - LEVEL, freedom))
    expect.that(
        statistic <= limit,
        "The new tokens do not follow the model's probabilities.",
        yours=f"chi-squared {statistic:.1f}",
        right=f"below {limit:.1f}",
        hint="Draw from softmax(logits of the last position), temperature 1.",
    )
    _independence(case, ids, length)


def _independence(case, ids, length):
    """Rows with equal prompts, neighbours or half a batch apart, must not be copies."""
    first = ids[:, length]
    half = len(first) // 2
    same_prompt = (case.prompts[1:, -1] == case.prompts[:-1, -1]).mean()
    z = case.logits[length - 1, case.prompts[0, -1]]
    p = np.exp(z - z.max())
    p /= p.sum()
    if same_prompt < 1 or case.label != "one step":
        return
    want = float((p**2).sum())
    for lag in (1, 2, half):
        agree = float((first[lag:] == first[:-lag]).mean())
        # Variance at most 3/4 a pair, with the overlap of pairs counted.
        slack = 5 * (3 / 4 / (len(first) - lag)) ** 0.5
        expect.that(
            abs(agree - want) <= slack,
            "Rows are not drawn independently of each other.",
            yours=f"{agree:.1%} of the rows agree with that {lag} further",
            right=f"{want:.1%}",
        )
