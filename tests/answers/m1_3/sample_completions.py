"""Answers to sample-completions."""

import torch

from autograder.checks.bank import right, wrong


def _refuse(prompts, new_tokens):
    if prompts.ndim != 2 or prompts.shape[1] < 1 or new_tokens < 1:
        raise ValueError("prompts (rows, length), not empty, and new_tokens of 1 or more")


def _draw(p, generator):
    return torch.multinomial(p, 1, generator=generator)


def _sample(
    model,
    prompts,
    new_tokens,
    end_id,
    generator,
    *,
    draw=_draw,
    logits_of=lambda model, ids: model(ids)[:, -1],
    temperature=1.0,
    stop=True,
    started=False,
    refuse=True,
):
    if refuse:
        _refuse(prompts, new_tokens)
    ids = prompts
    ended = torch.zeros(len(ids), 1, dtype=torch.bool)
    if started:
        ended = (ids == end_id).any(1, keepdim=True)
    with torch.no_grad():
        for _ in range(new_tokens):
            p = (logits_of(model, ids) / temperature).softmax(-1)
            new = draw(p, generator)
            if stop:
                new = torch.where(ended, end_id, new)
                ended = ended | (new == end_id)
            ids = torch.cat([ids, new], 1)
    return ids


@right("multinomial")
def by_multinomial(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator)


@right("Gumbel noise and argmax")
def by_gumbel(model, prompts, new_tokens, end_id, generator):
    _refuse(prompts, new_tokens)
    ids = prompts.clone()
    with torch.inference_mode():
        for step in range(new_tokens):
            logits = model(ids)[:, -1].double()
            uniform = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
            new = (logits - (-uniform.log()).log()).argmax(-1, keepdim=True)
            done = (ids[:, prompts.shape[1] :] == end_id).any(1, keepdim=True) if step else None
            new = new if done is None else new.masked_fill(done, end_id)
            ids = torch.cat([ids, new], 1)
    return ids.clone()


@right("the cumulative distribution, into a buffer")
def by_cumulative(model, prompts, new_tokens, end_id, generator):
    if prompts.dim() != 2 or prompts.size(1) == 0 or new_tokens <= 0:
        raise ValueError("prompts")
    rows, length = prompts.shape
    out = torch.full((rows, length + new_tokens), end_id, dtype=torch.long)
    out[:, :length] = prompts
    alive = torch.ones(rows, dtype=torch.bool)
    with torch.no_grad():
        for at in range(length, length + new_tokens):
            cumulative = model(out[:, :at])[:, -1].double().softmax(-1).cumsum(-1)
            u = torch.rand(rows, 1, generator=generator, dtype=torch.float64)
            new = torch.searchsorted(cumulative, u)[:, 0].clamp(max=cumulative.shape[1] - 1)
            out[alive, at] = new[alive]
            alive &= out[:, at] != end_id
    return out


@wrong("greedy", "You take the likeliest token; the sample must be drawn.")
def greedy(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator,
                   draw=lambda p, g: p.argmax(-1, keepdim=True))  # fmt: skip


@wrong("uniform", "You draw from all tokens alike; draw by the model's probabilities.")
def uniform(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator,
                   draw=lambda p, g: _draw(torch.ones_like(p), g))  # fmt: skip


@wrong("logits-not-softmax", "You draw with shifted logits as weights; take their softmax.")
def raw(model, prompts, new_tokens, end_id, generator):
    def logits_of(model, ids):
        z = model(ids)[:, -1]
        return (z - z.min(1, keepdim=True).values + 1e-6).log()

    return _sample(model, prompts, new_tokens, end_id, generator, logits_of=logits_of)


@wrong(
    "first-position",
    "You read the logits of the first position; the last one predicts the next token.",
)
def first(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator,
                   logits_of=lambda m, ids: m(ids)[:, 0])  # fmt: skip


@wrong("last-of-the-prompt", "You read the logits at the end of the prompt for every token.")
def frozen(model, prompts, new_tokens, end_id, generator):
    at = prompts.shape[-1] - 1
    return _sample(model, prompts, new_tokens, end_id, generator,
                   logits_of=lambda m, ids: m(ids)[:, at])  # fmt: skip


@wrong(
    "second-to-last", "You read the position before the last; the last one predicts the next token."
)
def before_last(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator,
                   logits_of=lambda m, ids: m(ids)[:, max(-2, -ids.shape[1])])  # fmt: skip


@wrong("context-forgotten", "You give the model the last token alone; it reads the whole sequence.")
def forgetful(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator,
                   logits_of=lambda m, ids: m(ids[:, -1:])[:, -1])  # fmt: skip


@wrong("colder", "You sharpen the distribution; the temperature is 1.")
def colder(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator, temperature=0.7)


@wrong("top-3", "You draw from the three likeliest tokens only; the whole vocabulary counts.")
def top(model, prompts, new_tokens, end_id, generator):
    def draw(p, g):
        floor = p.topk(min(3, p.shape[1]), dim=1).values[:, -1:]
        return _draw(p * (p >= floor), g)

    return _sample(model, prompts, new_tokens, end_id, generator, draw=draw)


@wrong("one-draw-for-all-rows", "You draw once and give all rows the same random number.")
def shared(model, prompts, new_tokens, end_id, generator):
    def draw(p, g):
        u = torch.rand(1, generator=g)
        return torch.searchsorted(p.cumsum(1).contiguous(), u.expand(len(p), 1).contiguous()).clamp(
            max=p.shape[1] - 1
        )

    return _sample(model, prompts, new_tokens, end_id, generator, draw=draw)


@wrong("generator-ignored", "You draw without the generator given: the run cannot be repeated.")
def no_generator(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, None)


@wrong("fixed-seed", "You make a generator of your own, so every call gives the same tokens.")
def fixed_seed(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, torch.Generator().manual_seed(0))


@wrong("goes-on-after-the-end", "A row goes on after its end token; the rest must be end_id.")
def endless(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator, stop=False)


@wrong("end-in-the-prompt", "An end token in the prompt ends nothing; you stop those rows.")
def prompt_end(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator, started=True)


@wrong("stops-with-the-first-row", "You stop all rows when one has ended.")
def all_stop(model, prompts, new_tokens, end_id, generator):
    _refuse(prompts, new_tokens)
    ids, ended = prompts, False
    with torch.no_grad():
        for _ in range(new_tokens):
            new = _draw(model(ids)[:, -1].softmax(-1), generator)
            new = torch.full_like(new, end_id) if ended else new
            ended = ended or bool((new == end_id).any())
            ids = torch.cat([ids, new], 1)
    return ids


@wrong("zeros-after-the-end", "After the end you write 0; write end_id.")
def zeros(model, prompts, new_tokens, end_id, generator):
    ids = _sample(model, prompts, new_tokens, end_id, generator)
    new = ids[:, prompts.shape[1] :]
    is_end = (new == end_id).long()
    after = (is_end.cumsum(1) - is_end) > 0
    return torch.cat([prompts, new.masked_fill(after, 0)], 1)


@wrong("new-tokens-only", "You return the new tokens alone; the prompts stand before them.")
def new_only(model, prompts, new_tokens, end_id, generator):
    return _sample(model, prompts, new_tokens, end_id, generator)[:, prompts.shape[1] :]


@wrong("one-too-many", "You append one token more than asked.")
def one_more(model, prompts, new_tokens, end_id, generator):
    _refuse(prompts, new_tokens)
    return _sample(model, prompts, new_tokens + 1, end_id, generator)


@wrong("cut-when-all-have-ended", "You return early when all rows have ended; the shape is fixed.")
def early(model, prompts, new_tokens, end_id, generator):
    ids = _sample(model, prompts, new_tokens, end_id, generator)
    new = ids[:, prompts.shape[1] :]
    done = (new == end_id).any(1)
    if not done.all():
        return ids
    last = int((new == end_id).long().argmax(1).max())
    return ids[:, : prompts.shape[1] + last + 1]


@wrong("prompts-refused-nowhere", "You accept empty prompts or 0 new tokens; raise ValueError.")
def accepting(model, prompts, new_tokens, end_id, generator):
    if prompts.ndim == 1:
        prompts = prompts[None]
    if prompts.shape[1] == 0:
        prompts = torch.zeros(len(prompts), 1, dtype=torch.int64)
    return _sample(model, prompts, new_tokens, end_id, generator, refuse=False)


@wrong("gradients-kept", "The model runs with gradients; put the loop inside torch.no_grad().")
def with_gradients(model, prompts, new_tokens, end_id, generator):
    _refuse(prompts, new_tokens)
    ids, ended = prompts, torch.zeros(len(prompts), 1, dtype=torch.bool)
    for _ in range(new_tokens):
        new = _draw(model(ids)[:, -1].softmax(-1), generator)
        new = torch.where(ended, end_id, new)
        ended = ended | (new == end_id)
        ids = torch.cat([ids, new], 1)
    return ids


@wrong("generator-rewound", "You rewind the generator: each call with it draws the same tokens.")
def rewound(model, prompts, new_tokens, end_id, generator):
    generator.manual_seed(generator.initial_seed())
    return _sample(model, prompts, new_tokens, end_id, generator)


@wrong("generator-copied", "You draw from a copy of the generator: its own state does not move on.")
def copied(model, prompts, new_tokens, end_id, generator):
    other = torch.Generator()
    other.set_state(generator.get_state())
    return _sample(model, prompts, new_tokens, end_id, other)


@wrong("prompts-overwritten", "You write into the prompts; the caller still needs them.")
def overwritten(model, prompts, new_tokens, end_id, generator):
    ids = _sample(model, prompts, new_tokens, end_id, generator)
    prompts.zero_()
    return ids


@wrong(
    "gradient-mode-left",
    "torch's gradient mode is another after your function; use `with torch.no_grad():`.",
)
def mode_left(model, prompts, new_tokens, end_id, generator):
    ids = _sample(model, prompts, new_tokens, end_id, generator)
    torch.set_grad_enabled(True)
    return ids


@wrong("half-a-batch-copied", "The second half of the rows repeats the first: draw each row anew.")
def half_copied(model, prompts, new_tokens, end_id, generator):
    def draw(p, generator):
        new, half = _draw(p, generator), len(p) // 2
        new[half : 2 * half] = new[:half]
        return new

    return _sample(model, prompts, new_tokens, end_id, generator, draw=draw)


@wrong("started-at-the-end", "An end token that closes the prompt ends nothing: go on after it.")
def ended_prompt(model, prompts, new_tokens, end_id, generator):
    _refuse(prompts, new_tokens)
    ids = _sample(model, prompts, new_tokens, end_id, generator)
    over = prompts[:, -1] == end_id
    ids[over, prompts.shape[1] :] = end_id
    return ids
