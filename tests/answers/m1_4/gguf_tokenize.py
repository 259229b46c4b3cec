"""Answers to gguf-tokenize."""

from autograder.checks.bank import right, wrong


def _parts(metadata, piece, strict=True):
    id_of = {token: i for i, token in enumerate(metadata["tokenizer.ggml.tokens"])}
    rank = {tuple(m.split(" ")): i for i, m in enumerate(metadata["tokenizer.ggml.merges"])}
    if strict and any(c not in id_of for c in piece):
        raise ValueError("unknown character")
    return id_of, rank, list(piece)


def _bpe(parts, rank, *, key=lambda r, i: (r, i), rounds=10**6):
    while rounds:
        rounds -= 1
        found = [
            (key(rank[p], i), i)
            for i, p in enumerate(zip(parts, parts[1:], strict=False))
            if p in rank
        ]
        if not found:
            break
        i = min(found)[1]
        parts = [*parts[:i], parts[i] + parts[i + 1], *parts[i + 2 :]]
    return parts


@right("one merge a round")
def one_a_round(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    return [id_of[p] for p in _bpe(parts, rank)]


@right("all places of the best pair a round")
def all_places(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    while True:
        pairs = {pair for pair in zip(parts, parts[1:], strict=False) if pair in rank}
        if not pairs:
            return tuple(id_of[p] for p in parts)
        best = min(pairs, key=rank.get)
        new, i = [], 0
        while i < len(parts):
            if tuple(parts[i : i + 2]) == best:
                new.append(parts[i] + parts[i + 1])
                i += 2
            else:
                new.append(parts[i])
                i += 1
        parts = new


@right("the tokenizers library")
def by_library(metadata, piece):
    from autograder.checks.oracles.gguf_tokens import encode

    _parts(metadata, piece)
    return encode(metadata, piece)


@wrong("longest-token-first", "Greedy longest match is another algorithm: follow the merges.")
def longest(metadata, piece):
    id_of, _, _ = _parts(metadata, piece)
    out = []
    while piece:
        size = next(n for n in range(len(piece), 0, -1) if piece[:n] in id_of)
        out.append(id_of[piece[:size]])
        piece = piece[size:]
    return out


@wrong("leftmost-pair-first", "The pair of the lowest rank is merged first, wherever it stands.")
def leftmost(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    return [id_of[p] for p in _bpe(parts, rank, key=lambda r, i: i)]


@wrong("highest-rank-first", "The first merge in the list has the lowest rank and comes first.")
def highest(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    return [id_of[p] for p in _bpe(parts, rank, key=lambda r, i: (-r, i))]


@wrong("rightmost-of-equals", "Of equal pairs the leftmost is merged first.")
def rightmost(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    return [id_of[p] for p in _bpe(parts, rank, key=lambda r, i: (r, -i))]


@wrong("rank-by-token-id", "The rank is the place in the list of merges, not the token's id.")
def by_id(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    return [id_of[p] for p in _bpe(parts, {pair: id_of["".join(pair)] for pair in rank})]


@wrong(
    "any-token-merges", "Only pairs in the list merge; a joined pair that is a token is not enough."
)
def any_token(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    while True:
        pairs = list(zip(parts, parts[1:], strict=False))
        good = [i for i, (a, b) in enumerate(pairs) if a + b in id_of]
        if not good:
            return [id_of[p] for p in parts]
        i = min(good, key=lambda i: (id_of["".join(pairs[i])], i))
        parts[i : i + 2] = ["".join(pairs[i])]


@wrong("one-pass", "Go on until no pair of the list is left.")
def one_pass(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    return [id_of[p] for p in _bpe(parts, rank, rounds=1)]


@wrong(
    "each-merge-once", "Later merges can make an earlier pair possible: look at all pairs again."
)
def in_order(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    for left, right_part in rank:
        i = 0
        while i < len(parts) - 1:
            if (parts[i], parts[i + 1]) == (left, right_part):
                parts[i : i + 2] = [left + right_part]
                break
            i += 1
    return [id_of[p] for p in parts]


@wrong("characters-only", "Merge: single characters are only the beginning.")
def characters(metadata, piece):
    id_of, _, parts = _parts(metadata, piece)
    return [id_of[p] for p in parts]


@wrong("merge-index-as-id", "The ids come from the list of tokens.")
def merge_index(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    place = {"".join(pair): i for pair, i in rank.items()}
    return [place.get(p, id_of[p]) for p in _bpe(parts, rank)]


@wrong("ids-from-one", "Ids begin at 0.")
def from_one(metadata, piece):
    return [i + 1 for i in one_a_round(metadata, piece)]


@wrong("tokens-returned", "Return the ids, not the tokens.")
def tokens(metadata, piece):
    _, rank, parts = _parts(metadata, piece)
    return _bpe(parts, rank)


@wrong("reversed-pairs", "A merge joins left to right in the order written.")
def reversed_pairs(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece)
    turned = {pair[::-1]: r for pair, r in rank.items() if "".join(pair[::-1]) in id_of}
    return [id_of[p] for p in _bpe(parts, turned)]


@wrong("start-token-added", "Return the ids of the piece alone.")
def start(metadata, piece):
    return [0, *one_a_round(metadata, piece)]


@wrong("unknown-skipped", "A character that is no token must raise ValueError.")
def skipped(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece, strict=False)
    return [id_of[p] for p in _bpe([p for p in parts if p in id_of], rank)]


@wrong("unknown-is-key-error", "A character that is no token must raise ValueError.")
def key_error(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece, strict=False)
    return [id_of[p] for p in _bpe(parts, rank)]


@wrong("unknown-is-zero", "A character that is no token must raise ValueError.")
def unknown_zero(metadata, piece):
    id_of, rank, parts = _parts(metadata, piece, strict=False)
    return [id_of.get(p, 0) for p in _bpe(parts, rank)]
