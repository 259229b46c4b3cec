"""Answers to parallel-vocabulary."""

import torch

from autograder.checks.bank import right, wrong


def _refuse(comm, logits, targets, skip=""):
    if "l" not in skip and (targets < 0).any():
        raise ValueError("below 0")
    if "h" not in skip and (targets >= logits.shape[1] * comm.ranks).any():
        raise ValueError("too large")


def _pick(comm, logits, targets, *, shift=0, clamp=True):
    """(logit of the target where it is here, else 0; whether it is here)."""
    width = logits.shape[1]
    place = targets - comm.rank * width - shift
    here = (place >= 0) & (place < width)
    found = logits.gather(1, place.clamp(0, width - 1)[:, None])[:, 0]
    return torch.where(here, found, torch.zeros_like(found)) if clamp else found * here, here


def _model(comm, logits, targets, *, skip="", top="all", base=None, shift=0, safe=True, sign=1, op="sum",
           result=lambda loss: loss):  # fmt: skip
    _refuse(comm, logits, targets, skip)
    m = logits.max(1).values
    if top == "all":
        m = comm.all_reduce(m, "max")
    elif top == "none":
        m = torch.zeros_like(m)
    total = (logits - m[:, None]).exp().sum(1)
    mine, _ = _pick(comm, logits, targets, shift=shift, clamp=safe)
    total, target = comm.all_reduce(torch.stack([total, mine]), op)
    log = total.log() if base is None else total.log() / base
    return result(sign * (log + m - target))


@right("two calls, gathered")
def by_gather(comm, logits, targets):
    return _model(comm, logits, targets)


@right("three calls, one-hot by comparison")
def by_compare(comm, logits, targets):
    count, width = logits.shape
    if int(targets.min()) < 0 or int(targets.max()) >= width * comm.ranks:
        raise ValueError("target")
    words = torch.arange(width) + comm.rank * width
    hit = words[None] == targets[:, None]
    m = comm.all_reduce(logits.amax(1), "max")
    shifted = logits - m[:, None]
    mine = torch.where(hit, shifted, torch.zeros_like(shifted)).sum(1)
    return torch.log(comm.all_reduce(shifted.exp().sum(1))) - comm.all_reduce(mine)


@right("token by token")
def by_loop(comm, logits, targets):
    _refuse(comm, logits, targets)
    m = comm.all_reduce(logits.max(dim=1)[0], "max")
    rows = []
    for row, target, top in zip(logits, targets.tolist(), m, strict=True):
        place = target - comm.rank * len(row)
        mine = row[place] - top if 0 <= place < len(row) else torch.zeros_like(top)
        rows.append(torch.stack([torch.exp(row - top).sum(), mine]))
    total, mine = comm.all_reduce(torch.stack(rows, 1))
    return total.log() - mine


@right("a log-sum-exp on each rank, then over ranks")
def by_logsumexp(comm, logits, targets):
    _refuse(comm, logits, targets)
    own = logits.logsumexp(1)
    m = comm.all_reduce(own, op="max")
    mine, here = _pick(comm, logits, targets)
    own = (own - m).exp()
    total, found = comm.all_reduce(torch.stack((own, torch.where(here, mine - m, 0 * m))), op="sum")
    return torch.log(total) - found


@wrong("own-maximum", "Every rank must subtract the same maximum, that of all ranks.")
def own_maximum(comm, logits, targets):
    return _model(comm, logits, targets, top="own")


@wrong("no-maximum", "exp of large logits overflows: subtract the maximum first.")
def no_maximum(comm, logits, targets):
    return _model(comm, logits, targets, top="none")


@wrong("local-softmax", "The softmax runs over all words, not over those of one rank.")
def local(comm, logits, targets):
    _refuse(comm, logits, targets)
    mine, here = _pick(comm, torch.log_softmax(logits, 1), targets)
    return -comm.all_reduce(mine)


@wrong("sums-local-logsumexp", "Log-sum-exps do not add up: add the exponentials.")
def adds_logs(comm, logits, targets):
    _refuse(comm, logits, targets)
    mine, _ = _pick(comm, logits, targets)
    a, b = comm.all_reduce(torch.stack([logits.logsumexp(1), mine]))
    return a - b


@wrong("gathers-all-logits", "Sent all logits: three numbers a token are enough.")
def gathers(comm, logits, targets):
    _refuse(comm, logits, targets)
    count, width = logits.shape
    whole = torch.zeros(count, width * comm.ranks, dtype=logits.dtype)
    whole[:, comm.rank * width : (comm.rank + 1) * width] = logits
    whole = comm.all_reduce(whole)
    return torch.nn.functional.cross_entropy(whole, targets, reduction="none")


@wrong("sends-logits-too-often", "At most 3 T numbers a rank.")
def four(comm, logits, targets):
    comm.all_reduce(torch.zeros(len(targets), dtype=logits.dtype))
    return _model(comm, logits, targets)


@wrong("mean-over-tokens", "Return one loss for each token, not their mean.")
def mean(comm, logits, targets):
    return _model(comm, logits, targets, result=lambda loss: loss.mean())


@wrong("log-probability", "The loss is minus the log of the probability.")
def negative(comm, logits, targets):
    return _model(comm, logits, targets, sign=-1)


@wrong("base-two", "The logarithm is natural.")
def base_two(comm, logits, targets):
    return _model(comm, logits, targets, result=lambda loss: loss / 0.6931471805599453)


@wrong("target-off-by-one", "Word v is at place v - rank * W of its rank.")
def off_by_one(comm, logits, targets):
    return _model(comm, logits, targets, shift=1)


@wrong("target-by-remainder", "v % W is a place on every rank: only one of them holds the word.")
def remainder(comm, logits, targets):
    _refuse(comm, logits, targets)
    m = comm.all_reduce(logits.max(1).values, "max")
    found = logits.gather(1, (targets % logits.shape[1])[:, None])[:, 0]
    total, target = comm.all_reduce(torch.stack([(logits - m[:, None]).exp().sum(1), found]))
    return total.log() + m - target


@wrong("mask-by-product", "0 times minus infinity is NaN: choose with torch.where.")
def product(comm, logits, targets):
    return _model(comm, logits, targets, safe=False)


@wrong("maximum-counted-twice", "Subtract the maximum from the target's logit too, or add it back.")
def forgets_maximum(comm, logits, targets):
    _refuse(comm, logits, targets)
    m = comm.all_reduce(logits.max(1).values, "max")
    mine, _ = _pick(comm, logits, targets)
    total, target = comm.all_reduce(torch.stack([(logits - m[:, None]).exp().sum(1), mine]))
    return total.log() - target


@wrong("maximum-summed", 'The maximum needs op="max": the sum of the ranks\' maxima is too large.')
def summed_maximum(comm, logits, targets):
    _refuse(comm, logits, targets)
    m = comm.all_reduce(logits.max(1).values)
    mine, _ = _pick(comm, logits, targets)
    total, target = comm.all_reduce(torch.stack([(logits - m[:, None]).exp().sum(1), mine]))
    return total.log() + m - target


@wrong(
    "one-maximum-for-all-tokens",
    "One maximum for all tokens lets tokens of small logits underflow.",
)
def global_maximum(comm, logits, targets):
    _refuse(comm, logits, targets)
    m = comm.all_reduce(logits.max().expand(len(targets)).clone(), "max")
    mine, _ = _pick(comm, logits, targets)
    total, target = comm.all_reduce(torch.stack([(logits - m[:, None]).exp().sum(1), mine]))
    return total.log() + m - target


@wrong("max-for-sum", "The exponentials are added over ranks.")
def max_for_sum(comm, logits, targets):
    return _model(comm, logits, targets, op="max")


@wrong("epsilon-in-the-log", "A constant inside the logarithm changes the loss.")
def epsilon(comm, logits, targets):
    _refuse(comm, logits, targets)
    m = comm.all_reduce(logits.max(1).values, "max")
    mine, _ = _pick(comm, logits, targets)
    total, target = comm.all_reduce(torch.stack([(logits - m[:, None]).exp().sum(1), mine]))
    return (total + 1e-3).log() + m - target


@wrong("large-targets-accepted", "A target that is no word must raise ValueError.")
def large(comm, logits, targets):
    return _model(comm, logits, targets, skip="h")


@wrong("negative-targets-accepted", "A target below 0 must raise ValueError.")
def below(comm, logits, targets):
    return _model(comm, logits, targets, skip="l")


@wrong("own-words-only-checked", "The bound is W * ranks, not W: most targets are on other ranks.")
def own_bound(comm, logits, targets):
    if (targets >= logits.shape[1]).any():
        raise ValueError("no such word here")
    return _model(comm, logits, targets)


@wrong("float64-returned", "Return logits' dtype.")
def doubles(comm, logits, targets):
    return _model(comm, logits.double(), targets)


@wrong("shifts-in-place", "logits must not be changed: -= works in place.")
def in_place(comm, logits, targets):
    _refuse(comm, logits, targets)
    logits -= comm.all_reduce(logits.max(1).values, "max")[:, None]
    mine, _ = _pick(comm, logits, targets)
    total, target = comm.all_reduce(torch.stack([logits.exp().sum(1), mine]))
    return total.log() - target
