"""Answers to on-policy-loss."""

import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong


def _scored(completion, end_id):
    is_end = (completion == end_id).long()
    return is_end.cumsum(1) - is_end == 0


def _reverse(log_q, log_p):
    return (log_q.exp() * (log_q - log_p)).sum(-1)


def _loss(
    student,
    teacher,
    ids,
    prompt_length,
    end_id,
    *,
    divergence=_reverse,
    scored=_scored,
    start=0,
    stop=0,
    shift=1,
    mean=lambda values, kept: values[kept].mean(),
    grad=False,
    check_prompt=True,
    check_words=True,
):
    if check_prompt and not 1 <= prompt_length < ids.shape[1]:
        raise ValueError("prompt_length")
    places = slice(prompt_length + start - shift, ids.shape[1] + stop - shift)
    log_q = student(ids)[:, places].log_softmax(-1)
    with torch.set_grad_enabled(grad):
        log_p = teacher(ids)[:, places].log_softmax(-1)
    if check_words and log_q.shape != log_p.shape:
        raise ValueError("the vocabularies differ")
    kept = scored(ids[:, prompt_length + start : ids.shape[1] + stop], end_id)
    return mean(divergence(log_q, log_p), kept)


@right("logarithms and a cumulative count of ends")
def by_cumsum(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id)


@right("kl_div and a loop over rows")
def by_rows(student, teacher, ids, prompt_length, end_id):
    if prompt_length < 1 or prompt_length > ids.size(1) - 1:
        raise ValueError("prompt_length")
    mine = student(ids)
    with torch.inference_mode():
        theirs = teacher(ids).clone()
    if mine.size(-1) != theirs.size(-1):
        raise ValueError("vocabularies")
    total, count = 0.0, 0
    for k, row in enumerate(ids.tolist()):
        last = row.index(end_id, prompt_length) if end_id in row[prompt_length:] else len(row) - 1
        q = F.log_softmax(mine[k, prompt_length - 1 : last], -1)
        p = F.log_softmax(theirs[k, prompt_length - 1 : last].clone(), -1)
        total = total + F.kl_div(p, q, reduction="sum", log_target=True)
        count += last - prompt_length + 1
    return total / count


@right("cross-entropy less entropy, with a mask")
def by_entropy(student, teacher, ids, prompt_length, end_id):
    if prompt_length not in range(1, ids.shape[1]):
        raise ValueError("prompt_length")
    z = student(ids)[:, :-1]
    with torch.no_grad():
        t = teacher(ids)[:, :-1].log_softmax(-1)
    if z.shape != t.shape:
        raise ValueError("vocabularies")
    q = z.softmax(-1)
    log_q = z - z.logsumexp(-1, keepdim=True)
    each = (q * log_q).sum(-1) - (q * t).sum(-1)
    alive = torch.ones(len(ids), dtype=torch.bool)
    mask = torch.zeros_like(each)
    for at in range(prompt_length, ids.shape[1]):
        mask[:, at - 1] = alive.to(mask)
        alive = alive & (ids[:, at] != end_id)
    return (each * mask).sum() / mask.sum()


@wrong(
    "forward-kl",
    "Your KL has the teacher in front; on its own samples the student's q weighs the sum.",
)
def forward(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id,
                 divergence=lambda q, p: (p.exp() * (p - q)).sum(-1))  # fmt: skip


@wrong(
    "sampled-tokens-only", "You compare the drawn tokens alone; the sum runs over the vocabulary."
)
def sampled(student, teacher, ids, prompt_length, end_id):
    tokens = ids[:, max(prompt_length, 0) :, None]

    def divergence(q, p):
        return (q - p).gather(-1, tokens)[..., 0]

    return _loss(student, teacher, ids, prompt_length, end_id, divergence=divergence)


@wrong("off-by-one", "Logits at position t predict token t + 1; you read those at t itself.")
def unshifted(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id, shift=0)


@wrong("first-token-left-out", "You leave out the first token that the student wrote.")
def first_lost(student, teacher, ids, prompt_length, end_id):
    start = 1 if ids.shape[1] - prompt_length > 1 else 0
    return _loss(student, teacher, ids, prompt_length, end_id, start=start)


@wrong("last-token-left-out", "You leave out the last token.")
def last_lost(student, teacher, ids, prompt_length, end_id):
    stop = -1 if ids.shape[1] - prompt_length > 1 else 0
    return _loss(student, teacher, ids, prompt_length, end_id, stop=stop)


@wrong("prompt-scored", "You score the prompt too; the student wrote only what follows.")
def prompt_scored(student, teacher, ids, prompt_length, end_id):
    if not 1 <= prompt_length < ids.shape[1]:
        raise ValueError("prompt_length")

    def scored(completion, end):
        kept = _scored(ids[:, prompt_length:], end)
        return torch.cat([torch.ones(len(ids), prompt_length - 1, dtype=torch.bool), kept], 1)

    return _loss(student, teacher, ids, 1, end_id, scored=scored)


@wrong("padding-scored", "You score what follows the first end; it is padding.")
def padding_scored(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id,
                 scored=lambda c, e: torch.ones_like(c, dtype=torch.bool))  # fmt: skip


@wrong(
    "end-left-out", "The end token itself was written by the student and counts; you leave it out."
)
def end_lost(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id,
                 scored=lambda c, e: (c == e).long().cumsum(1) == 0)  # fmt: skip


@wrong("every-end-scored", "Only the first end counts; you drop other tokens and keep all ends.")
def all_ends(student, teacher, ids, prompt_length, end_id):
    def scored(completion, end):
        return _scored(completion, end) | (completion == end)

    return _loss(student, teacher, ids, prompt_length, end_id, scored=scored)


@wrong("ends-dropped", "You drop every end token and score what follows it.")
def ends_dropped(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id, scored=lambda c, e: c != e)


@wrong("end-in-the-prompt", "An end in the prompt ends nothing; you stop scoring those rows.")
def prompt_end(student, teacher, ids, prompt_length, end_id):
    def scored(completion, end):
        before = (ids[:, :prompt_length] == end).any(1, keepdim=True)
        return _scored(completion, end) & ~before

    return _loss(student, teacher, ids, prompt_length, end_id, scored=scored)


@wrong("mean-of-row-means", "You average each row first; every scored token counts the same.")
def row_means(student, teacher, ids, prompt_length, end_id):
    def mean(values, kept):
        return ((values * kept).sum(1) / kept.sum(1).clamp(min=1)).mean()

    return _loss(student, teacher, ids, prompt_length, end_id, mean=mean)


@wrong("divided-by-all-tokens", "You divide by all tokens; divide by those scored.")
def divided(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id,
                 mean=lambda v, k: (v * k).mean())  # fmt: skip


@wrong("sum-not-mean", "You return the sum over the tokens; the mean is asked.")
def summed(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id,
                 mean=lambda v, k: v[k].sum())  # fmt: skip


@wrong("mean-over-the-vocabulary", "You average over the vocabulary; its terms are summed.")
def word_mean(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id,
                 divergence=lambda q, p: (q.exp() * (q - p)).mean(-1))  # fmt: skip


@wrong("logits-without-softmax", "You compare logits as if they were log-probabilities.")
def raw(student, teacher, ids, prompt_length, end_id):
    if not 1 <= prompt_length < ids.shape[1]:
        raise ValueError("prompt_length")
    q, p = (m(ids)[:, prompt_length - 1 : -1] for m in (student, teacher))
    p = p.detach()
    if q.shape != p.shape:
        raise ValueError("vocabularies")
    values = (q.softmax(-1) * (q - p)).sum(-1)
    return values[_scored(ids[:, prompt_length:], end_id)].mean()


@wrong("teacher-with-gradients", "The teacher ran with gradients; call it inside torch.no_grad().")
def teacher_learns(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id, grad=True)


@wrong("student-without-gradients", "Your loss has no gradient; the student must run with them.")
def no_gradient(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id).detach()


@wrong("weights-detached", "You detach the weights q; the gradient goes through them too.")
def weights_detached(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id,
                 divergence=lambda q, p: (q.exp().detach() * (q - p)).sum(-1))  # fmt: skip


@wrong("any-prompt-length", "You accept a prompt_length outside 1 to length - 1; raise ValueError.")
def any_prompt(student, teacher, ids, prompt_length, end_id):
    clipped = min(max(prompt_length, 1), ids.shape[1] - 1)
    return _loss(student, teacher, ids, clipped, end_id)


@wrong("vocabularies-broadcast", "A vocabulary of one token broadcasts; raise ValueError.")
def broadcast(student, teacher, ids, prompt_length, end_id):
    return _loss(student, teacher, ids, prompt_length, end_id, check_words=False)


@wrong("vocabulary-cut", "You cut the larger vocabulary off; columns differ: raise ValueError.")
def cut(student, teacher, ids, prompt_length, end_id):
    n = min(student(ids).shape[-1], teacher(ids).detach().shape[-1])
    return _loss(
        lambda i: student(i)[..., :n],
        lambda i: teacher(i).detach()[..., :n],
        ids, prompt_length, end_id,
    )  # fmt: skip


@wrong(
    "gradient-mode-left",
    "torch's gradient mode is another after your function; use `with torch.no_grad():`.",
)
def mode_left(student, teacher, ids, prompt_length, end_id):
    loss = _loss(student, teacher, ids, prompt_length, end_id)
    torch.set_grad_enabled(True)
    return loss
