"""Answers to est-flops."""

from autograder.checks.bank import right, wrong


def _model(c, new, past, logits, causal, *, checks=True, two=2, kv=True, gate=3, heads=None,
           pairs=None, head=None, size=None, sides=2, out=True, layers=True):  # fmt: skip
    if checks and (new < 1 or past < 0 or not 0 <= logits <= new):
        raise ValueError("tokens")
    h, d, n = c["hidden_size"], size or c["head_dim"], c["num_hidden_layers"] if layers else 1
    kv_heads = c["num_key_value_heads"] if kv else c["num_attention_heads"]
    matrices = (1 + out) * h * c["num_attention_heads"] * d + 2 * h * kv_heads * d
    matrices += gate * h * c["intermediate_size"]
    if pairs is None:
        pairs = new * past + (new * (new + 1) // 2 if causal else new * new)
    attention = two * sides * (heads or c["num_attention_heads"]) * d * pairs
    head = logits if head is None else head
    return n * (two * matrices * new + attention) + two * h * c["vocab_size"] * head


@right("closed formula")
def formula(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal)


@right("token by token")
def by_token(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    if min(new_tokens - 1, past_tokens, logits_tokens, new_tokens - logits_tokens) < 0:
        raise ValueError("counts")
    h, d = config["hidden_size"], config["head_dim"]
    q, kv = config["num_attention_heads"], config["num_key_value_heads"]
    shapes = [(h, q * d), (h, kv * d), (h, kv * d), (q * d, h)]
    shapes += [(h, config["intermediate_size"])] * 2 + [(config["intermediate_size"], h)]
    total = 0
    for token in range(new_tokens):
        keys = past_tokens + (token + 1 if causal else new_tokens)
        layer = sum(2 * i * o for i, o in shapes) + q * (2 * d * keys + 2 * keys * d)
        total += layer * config["num_hidden_layers"]
    return total + logits_tokens * 2 * h * config["vocab_size"]


@wrong("one-flop", "A multiplication and an addition are two FLOPs.")
def one(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, two=1)


@wrong("kv-heads-for-pairs", "GQA shares keys, yet each query head multiplies with them.")
def kv_pairs(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal,
                  heads=config["num_key_value_heads"])  # fmt: skip


@wrong("kv-as-wide-as-q", "k and v have num_key_value_heads heads.")
def no_gqa(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, kv=False)


@wrong("no-gate", "A gated MLP has three matrices.")
def no_gate(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, gate=2)


@wrong("no-o", "The output projection of attention is a matrix too.")
def no_o(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, out=False)


@wrong("no-attention-term", "Scores and weighted values are matrix products too.")
def no_attention(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, pairs=0)


@wrong("scores-alone", "After the scores the values are weighted: as many FLOPs again.")
def scores(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, sides=1)


@wrong("causal-ignored", "With causal=True a query does not meet the keys after it.")
def not_causal(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, False)


@wrong("always-causal", "With causal=False each new token meets all keys, past and new.")
def always_causal(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, True)


@wrong("half-of-the-square", "A token meets itself: n (n + 1) / 2 pairs, not n n / 2.")
def half(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    n = new_tokens
    pairs = n * past_tokens + (n * n // 2 if causal else n * n)
    return _model(config, n, past_tokens, logits_tokens, causal, pairs=pairs)


@wrong("not-itself", "A token attends to itself too.")
def not_itself(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    n = new_tokens
    pairs = n * past_tokens + (n * (n - 1) // 2 if causal else n * n)
    return _model(config, n, past_tokens, logits_tokens, causal, pairs=pairs)


@wrong("past-forgotten", "New tokens meet the keys in the cache too.")
def no_past(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    n = new_tokens
    pairs = n * (n + 1) // 2 if causal else n * n
    return _model(config, n, past_tokens, logits_tokens, causal, pairs=pairs)


@wrong("past-recomputed", "What is in the cache is not computed again.")
def recomputed(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    _model(config, new_tokens, past_tokens, logits_tokens, causal)
    return _model(config, new_tokens + past_tokens, 0, logits_tokens, causal)


@wrong("logits-for-all", "The head runs for logits_tokens tokens only.")
def all_logits(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, head=new_tokens)


@wrong("no-head", "The head's product counts.")
def no_head(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, head=0)


@wrong("hidden-by-heads", "head_dim need not be hidden_size / heads.")
def divided(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    size = config["hidden_size"] // config["num_attention_heads"]
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, size=size)


@wrong("one-layer", "Each of the layers computes.")
def one_layer(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, layers=False)


@wrong("training-flops", "A forward pass takes 2 a weight and token; 6 is training.")
def training(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return 3 * _model(config, new_tokens, past_tokens, logits_tokens, causal)


@wrong("nothing-refused", "Counts that cannot be must raise ValueError.")
def unchecked(config, new_tokens, past_tokens=0, logits_tokens=1, causal=True):
    return _model(config, new_tokens, past_tokens, logits_tokens, causal, checks=False)
