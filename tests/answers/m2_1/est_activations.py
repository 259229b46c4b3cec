"""Answers to est-activations."""

from autograder.checks.bank import right, wrong


def _model(s, b, h, a, layers, how, *, checks="wsd", token=34, pair=5, extra=True, own=True,
           default=None, square=2, kept=2):  # fmt: skip
    if "w" in checks and how not in ("none", "selective", "full"):
        raise ValueError("recompute")
    if "s" in checks and min(s, b, h, a, layers) < 1:
        raise ValueError("sizes")
    if "d" in checks and a and h % a:
        raise ValueError("heads")
    by_token, by_pair = token * s * b * h, pair * a * s**square * b
    if how == "selective":
        return layers * by_token + (by_pair if extra else 0)
    if how == "full":
        inputs = kept * s * b * h * layers
        return inputs + (by_token + by_pair if extra else 0) - (kept * s * b * h if own else 0)
    return layers * (by_token + by_pair)


@right("formula")
def formula(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute)


@right("item by item")
def items(tokens, batch, hidden, heads, layers, recompute="none"):
    if any(x <= 0 for x in (tokens, batch, hidden, heads, layers)) or hidden % heads:
        raise ValueError("sizes")
    x = 2 * tokens * batch * hidden
    pairs = heads * tokens * tokens * batch
    attention = x + 2 * x + x + x + x // 2
    mlp = x + 4 * x + 4 * x + x // 2
    fixed, scores = attention + mlp + 2 * x, 2 * pairs + pairs + 2 * pairs
    if recompute == "none":
        return sum([fixed + scores] * layers)
    if recompute == "selective":
        return sum([fixed] * layers, scores)
    if recompute == "full":
        return x * (layers - 1) + fixed + scores
    raise ValueError(recompute)


@wrong("masks-of-two-bytes", "A dropout mask takes one byte an element.")
def wide_masks(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, token=36, pair=6)


@wrong("no-masks", "Dropout keeps its masks.")
def no_masks(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, token=32, pair=4)


@wrong("scores-forgotten", "Softmax and dropout of the scores keep 5 bytes a pair and head.")
def no_scores(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, pair=0)


@wrong("scores-linear", "Scores grow with the square of the tokens.")
def linear(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, square=1)


@wrong("one-head", "Every head has its scores.")
def one_head(tokens, batch, hidden, heads, layers, recompute="none"):
    _model(tokens, batch, hidden, heads, layers, recompute)
    return _model(tokens, batch, hidden, 1, layers, recompute)


@wrong("float32", "Values take two bytes, not four.")
def doubled(tokens, batch, hidden, heads, layers, recompute="none"):
    return 2 * _model(tokens, batch, hidden, heads, layers, recompute)


@wrong("values-not-bytes", "A value takes two bytes.")
def halved(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute) // 2


@wrong("one-layer", "Every layer keeps its own until the backward pass.")
def one_layer(tokens, batch, hidden, heads, layers, recompute="none"):
    _model(tokens, batch, hidden, heads, layers, recompute)
    return _model(tokens, batch, hidden, heads, 1, recompute)


@wrong("recomputing-is-free", "What is recomputed for one layer lies beside what was kept.")
def free(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, extra=False, own=False)


@wrong("input-counted-twice", "The recomputed layer's input is one of the inputs that were kept.")
def twice(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, own=False)


@wrong("recompute-ignored", "recompute changes what is kept.")
def ignored(tokens, batch, hidden, heads, layers, recompute="none"):
    _model(tokens, batch, hidden, heads, layers, recompute)
    return _model(tokens, batch, hidden, heads, layers, "none")


@wrong("full-for-selective", "selective drops the scores of attention only.")
def mixed(tokens, batch, hidden, heads, layers, recompute="none"):
    how = "full" if recompute == "selective" else recompute
    return _model(tokens, batch, hidden, heads, layers, how)


@wrong("selective-for-full", "full keeps nothing of a layer but its input.")
def mixed_back(tokens, batch, hidden, heads, layers, recompute="none"):
    how = "selective" if recompute == "full" else recompute
    return _model(tokens, batch, hidden, heads, layers, how)


@wrong("float", "Bytes are whole: multiply before you divide.")
def as_float(tokens, batch, hidden, heads, layers, recompute="none"):
    return float(_model(tokens, batch, hidden, heads, layers, recompute))


@wrong("sizes-not-checked", "Sizes below 1 must raise ValueError.")
def no_sizes(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, checks="wd")


@wrong("heads-not-checked", "Heads that do not divide hidden must raise ValueError.")
def any_heads(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, checks="ws")


@wrong("way-not-checked", "An unknown way to recompute must raise ValueError.")
def any_way(tokens, batch, hidden, heads, layers, recompute="none"):
    return _model(tokens, batch, hidden, heads, layers, recompute, checks="sd")
