"""Answers to parallel-traffic."""

from autograder.checks.bank import right, wrong


def _model(tokens, hidden, layers, parameters, tp=1, pp=1, dp=1, value_bytes=2, sequence_parallel=False,
           training=False, *, skip="", per_layer=4, ring=lambda n: n - 1, sp_factor=1, sp_pipe=True,
           back=("tensor", "pipeline"), boundaries=lambda p: p - 1, peers=True, replicas=True,
           data=None, serve_data=False):  # fmt: skip
    if "n" not in skip and min(tokens, hidden, layers, parameters, tp, pp, dp, value_bytes) < 1:
        raise ValueError("numbers")
    if "p" not in skip and layers % pp:
        raise ValueError("stages")
    if "s" not in skip and sequence_parallel and tokens % tp:
        raise ValueError("tokens")
    size = tokens * hidden * value_bytes
    copies = dp if replicas else 1
    tensor = copies * layers * per_layer * ring(tp) * size * (sp_factor if sequence_parallel else 1)
    pipeline = copies * boundaries(pp) * size * (tp if peers else 1)
    if sequence_parallel and sp_pipe:
        pipeline = pipeline // tp
    sent = {"tensor": tensor, "pipeline": pipeline, "data": 0}
    if training:
        for key in back:
            sent[key] *= 2
    if training or serve_data:
        sent["data"] = (
            data(parameters, value_bytes, tp, pp, dp)
            if data
            else 2 * (dp - 1) * parameters * value_bytes
        )
    return sent


@right("totals of rings")
def by_totals(*args, **more):
    return _model(*args, **more)


@right("bytes a device, times devices")
def by_device(
    tokens,
    hidden,
    layers,
    parameters,
    tp=1,
    pp=1,
    dp=1,
    value_bytes=2,
    sequence_parallel=False,
    training=False,
):
    if any(v < 1 for v in (tokens, hidden, layers, parameters, tp, pp, dp, value_bytes)):
        raise ValueError("below 1")
    if layers % pp != 0 or (sequence_parallel and tokens % tp != 0):
        raise ValueError("not a multiple")
    size = float(tokens) * hidden * value_bytes
    share = 2 * (tp - 1) / tp * size
    passes = 1 + bool(training)
    device = passes * 2 * (layers / pp) * share
    boundary = size / tp if sequence_parallel else size
    gradients = 2 * (dp - 1) / dp * parameters * value_bytes / (tp * pp)
    return {
        "tensor": device * tp * pp * dp,
        "pipeline": passes * boundary * tp * (pp - 1) * dp,
        "data": gradients * tp * pp * dp if training else 0.0,
    }


@wrong("bytes-of-one-device", "All devices together: times tp, and times dp.")
def one_device(*args, **more):
    found = _model(*args, **more)
    tp, pp, dp = (more.get(k, 1) for k in ("tp", "pp", "dp"))
    return {"tensor": found["tensor"] / (tp * pp * dp), "pipeline": found["pipeline"] / (tp * dp),
            "data": found["data"] / (tp * pp * dp)}  # fmt: skip


@wrong("one-all-reduce-a-layer", "A layer has two: after attention and after the MLP.")
def one_a_layer(*args, **more):
    return _model(*args, **more, per_layer=2)


@wrong("all-reduce-sends-once", "A ring all-reduce has two halves: 2 (n - 1) S in all.")
def half_ring(*args, **more):
    return _model(*args, **more, per_layer=2, data=lambda p, v, t, s, d: (d - 1) * p * v)


@wrong("n-for-n-minus-one", "A rank never sends the last chunk: n - 1, not n.")
def n_ranks(*args, **more):
    return _model(*args, **more, ring=lambda n: n if n > 1 else 0)


@wrong(
    "sequence-parallel-halves",
    "All-gather and reduce-scatter together send what an all-reduce sends.",
)
def halves(*args, **more):
    return _model(*args, **more, sp_factor=0.5)


@wrong(
    "sequence-parallel-doubles", "All-gather and reduce-scatter send half of an all-reduce each."
)
def doubles(*args, **more):
    return _model(*args, **more, sp_factor=2)


@wrong(
    "sequence-parallel-whole-activations",
    "With sequence parallelism a device holds, and passes on, S / tp.",
)
def whole(*args, **more):
    return _model(*args, **more, sp_pipe=False)


@wrong("one-peer-only", "Every one of the tp devices of a stage sends to its peer.")
def one_peer(*args, **more):
    if more.get("sequence_parallel"):
        return _model(*args, **more)
    return _model(*args, **more, peers=False)


@wrong("p-boundaries", "p stages have p - 1 boundaries.")
def p_boundaries(*args, **more):
    return _model(*args, **more, boundaries=lambda p: p if p > 1 else 0)


@wrong(
    "backward-forgotten",
    "Training goes back too: as many collectives again, and gradients through the stages.",
)
def forward_only(*args, **more):
    return _model(*args, **more, back=())


@wrong("pipeline-backward-forgotten", "Gradients go back from stage to stage.")
def pipe_forward(*args, **more):
    return _model(*args, **more, back=("tensor",))


@wrong("tensor-backward-forgotten", "The backward pass has its own two all-reduces a layer.")
def tensor_forward(*args, **more):
    return _model(*args, **more, back=("pipeline",))


@wrong("gradients-when-serving", "Serving has no gradients: replicas send nothing.")
def serving(*args, **more):
    return _model(*args, **more, serve_data=True)


@wrong("gradients-unsplit", "Each device reduces its own part of the parameters, not all of them.")
def unsplit(*args, **more):
    return _model(*args, **more, data=lambda p, v, t, s, d: 2 * (d - 1) * p * v * t * s)


@wrong("gradients-of-one-shard", "All tp * pp groups of dp devices reduce their part.")
def one_shard(*args, **more):
    return _model(*args, **more, data=lambda p, v, t, s, d: 2 * (d - 1) * p * v / (t * s))


@wrong("gradients-in-two-bytes", "A gradient has value_bytes, whatever the default is.")
def two_bytes(*args, **more):
    return _model(*args, **more, data=lambda p, v, t, s, d: 2 * (d - 1) * p * 2)


@wrong("one-replica", "Every replica sends its own activations: times dp.")
def one_replica(*args, **more):
    return _model(*args, **more, replicas=False)


@wrong("elements-not-bytes", "Count bytes: times value_bytes.")
def elements(*args, **more):
    size = more.pop("value_bytes", 2)
    _model(*args, **more, value_bytes=size)
    return _model(*args, **more, value_bytes=1)


@wrong("zero-accepted", "Numbers below 1 must raise ValueError.")
def zero(*args, **more):
    try:
        return _model(*args, **more, skip="n")
    except ZeroDivisionError:
        return {"tensor": 0, "pipeline": 0, "data": 0}


@wrong(
    "unequal-stages-accepted", "Layers that do not divide among the stages must raise ValueError."
)
def unequal(*args, **more):
    return _model(*args, **more, skip="p")


@wrong(
    "unequal-sequences-accepted",
    "With sequence parallelism the tokens must divide among the ranks.",
)
def unequal_tokens(*args, **more):
    return _model(*args, **more, skip="s")


@wrong("tokens-always-divided", "Without sequence parallelism any number of tokens will do.")
def always(*args, **more):
    if more["tokens"] % max(1, more.get("tp", 1)):
        raise ValueError("tokens")
    return _model(*args, **more)
