"""Answers to parallel-mlp."""

import torch

from autograder.checks.bank import right, wrong

gelu = torch.nn.functional.gelu


def _own(comm, count):
    if count % comm.ranks:
        raise ValueError("units do not divide")
    size = count // comm.ranks
    return slice(comm.rank * size, (comm.rank + 1) * size)


def _model(comm, x, w_in, b_in, w_out, b_out, *, act=gelu, bias="after", own=_own):
    mine = own(comm, len(w_in))
    part = act(x @ w_in[mine].T + b_in[mine]) @ w_out[:, mine].T
    if bias == "every":
        part = part + b_out
    total = comm.all_reduce(part)
    return total + b_out if bias == "after" else total


@right("slices, the bias after the sum")
def by_slices(comm, x, w_in, b_in, w_out, b_out):
    return _model(comm, x, w_in, b_in, w_out, b_out)


@right("chunks, the bias on rank 0 before the sum")
def by_chunks(comm, x, w_in, b_in, w_out, b_out):
    if len(b_in) % comm.ranks != 0:
        raise ValueError("hidden units must divide")
    a = w_in.chunk(comm.ranks, 0)[comm.rank]
    c = b_in.chunk(comm.ranks)[comm.rank]
    b = w_out.chunk(comm.ranks, 1)[comm.rank]
    hidden = gelu(torch.nn.functional.linear(x, a, c))
    bias = b_out if comm.rank == 0 else None
    return comm.all_reduce(torch.nn.functional.linear(hidden, b, bias))


@right("an nth of the bias on each rank")
def by_nth(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, w_in.shape[0])
    hidden = gelu((w_in[mine] @ x[..., None])[..., 0] + b_in[mine])
    return comm.all_reduce(hidden @ w_out[:, mine].T + b_out / comm.ranks)


@right("GELU by erf")
def by_erf(comm, x, w_in, b_in, w_out, b_out):
    return _model(comm, x, w_in, b_in, w_out, b_out,
                  act=lambda z: z * (1 + torch.erf(z / 2**0.5)) / 2)  # fmt: skip


@right("no sum for a rank that is alone")
def alone(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    part = gelu(x @ w_in[mine].T + b_in[mine]) @ w_out[:, mine].T
    return (comm.all_reduce(part) if comm.ranks > 1 else part) + b_out


@wrong("bias-on-every-rank", "Added before the sum on every rank, b_out counts n times.")
def bias_every(comm, x, w_in, b_in, w_out, b_out):
    return _model(comm, x, w_in, b_in, w_out, b_out, bias="every")


@wrong("no-output-bias", "b_out is missing.")
def no_bias(comm, x, w_in, b_in, w_out, b_out):
    return _model(comm, x, w_in, b_in, w_out, b_out, bias="none")


@wrong("no-input-bias", "b_in is missing.")
def no_input_bias(comm, x, w_in, b_in, w_out, b_out):
    return _model(comm, x, w_in, torch.zeros_like(b_in), w_out, b_out)


@wrong("no-all-reduce", "Each rank has its units' share only: sum the shares over the ranks.")
def no_sum(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    return gelu(x @ w_in[mine].T + b_in[mine]) @ w_out[:, mine].T + b_out


@wrong(
    "whole-layer-on-every-rank",
    "A rank computes its own units; nothing is gained if each computes all.",
)
def everything(comm, x, w_in, b_in, w_out, b_out):
    _own(comm, len(w_in))
    return gelu(x @ w_in.T + b_in) @ w_out.T + b_out


@wrong(
    "whole-layer-divided",
    "A rank computes its own units; a whole layer divided by n hides that nothing was shared out.",
)
def divided(comm, x, w_in, b_in, w_out, b_out):
    _own(comm, len(w_in))
    return comm.all_reduce((gelu(x @ w_in.T + b_in) @ w_out.T + b_out) / comm.ranks)


@wrong("every-nth-unit", "The units of a rank are a block, not every n-th one.")
def strided(comm, x, w_in, b_in, w_out, b_out):
    def every(comm, count):
        _own(comm, count)
        return slice(comm.rank, None, comm.ranks)

    return _model(comm, x, w_in, b_in, w_out, b_out, own=every)


@wrong("blocks-in-reverse", "Rank 0 takes the first units.")
def reverse(comm, x, w_in, b_in, w_out, b_out):
    def last(comm, count):
        _own(comm, count)
        size, rank = count // comm.ranks, comm.ranks - 1 - comm.rank
        return slice(rank * size, (rank + 1) * size)

    return _model(comm, x, w_in, b_in, w_out, b_out, own=last)


@wrong("gelu-after-the-sum", "GELU stands between the two matrices, not after them.")
def late_gelu(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    return gelu(comm.all_reduce((x @ w_in[mine].T + b_in[mine]) @ w_out[:, mine].T) + b_out)


@wrong(
    "row-parallel-first",
    "Cut the first matrix by outputs: GELU of summands is not a summand of GELU.",
)
def row_first(comm, x, w_in, b_in, w_out, b_out):
    _own(comm, len(w_in))
    width = x.shape[-1]
    first, stop = comm.rank * width // comm.ranks, (comm.rank + 1) * width // comm.ranks
    part = x[..., first:stop] @ w_in[:, first:stop].T + b_in / comm.ranks
    return comm.all_reduce(gelu(part) @ w_out.T) + b_out


@wrong("two-all-reduces", "One all-reduce is enough: the first matrix needs none.")
def two_sums(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    hidden = torch.zeros(*x.shape[:-1], len(w_in), dtype=x.dtype)
    hidden[..., mine] = gelu(x @ w_in[mine].T + b_in[mine])
    hidden = comm.all_reduce(hidden)
    return comm.all_reduce(hidden[..., mine] @ w_out[:, mine].T) + b_out


@wrong("tanh-gelu", "GELU is the exact one here, not the tanh approximation.")
def tanh(comm, x, w_in, b_in, w_out, b_out):
    return _model(comm, x, w_in, b_in, w_out, b_out, act=lambda z: gelu(z, approximate="tanh"))


@wrong("relu", "The activation is GELU.")
def relu(comm, x, w_in, b_in, w_out, b_out):
    return _model(comm, x, w_in, b_in, w_out, b_out, act=torch.relu)


@wrong("rows-of-w-out", "w_out is (H, F): a rank takes its columns.")
def rows_out(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    return comm.all_reduce(gelu(x @ w_in[mine].T + b_in[mine]) @ w_out[mine]) + b_out


@wrong("all-reduce-ignored", "all_reduce returns a new tensor; it does not change its argument.")
def ignored(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    part = gelu(x @ w_in[mine].T + b_in[mine]) @ w_out[:, mine].T
    comm.all_reduce(part)
    return part + b_out


@wrong("mean-of-shares", "The all-reduce sums; the shares are not averaged.")
def mean(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    return (
        comm.all_reduce(gelu(x @ w_in[mine].T + b_in[mine]) @ w_out[:, mine].T) / comm.ranks + b_out
    )


@wrong("leftover-units-dropped", "Units that do not divide among the ranks must raise ValueError.")
def dropped(comm, x, w_in, b_in, w_out, b_out):
    def floor(comm, count):
        size = count // comm.ranks
        return slice(comm.rank * size, (comm.rank + 1) * size)

    return _model(comm, x, w_in, b_in, w_out, b_out, own=floor)


@wrong(
    "leftover-units-spread",
    "Units that do not divide must raise ValueError, even where uneven blocks would do.",
)
def uneven(comm, x, w_in, b_in, w_out, b_out):
    def spread(comm, count):
        return slice(comm.rank * count // comm.ranks, (comm.rank + 1) * count // comm.ranks)

    return _model(comm, x, w_in, b_in, w_out, b_out, own=spread)


@wrong("changes-b-out", "An argument was changed: b_out.div_ works in place.")
def changes(comm, x, w_in, b_in, w_out, b_out):
    mine = _own(comm, len(w_in))
    return comm.all_reduce(
        gelu(x @ w_in[mine].T + b_in[mine]) @ w_out[:, mine].T + b_out.div_(comm.ranks)
    )


@wrong("float32-inside", "Compute in x's dtype.")
def float32(comm, x, w_in, b_in, w_out, b_out):
    low = [t.float() for t in (x, w_in, b_in, w_out, b_out)]
    return _model(comm, *low).to(x.dtype)
