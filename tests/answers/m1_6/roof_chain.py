"""Answers to roof-chain."""

from autograder.checks.bank import right, wrong


def _refuse(steps, sizes, keep, checks):
    written = [name for step in steps for name in step[2]]
    names = set(written) | {name for step in steps for name in step[1]}
    if "t" in checks and len(written) != len(set(written)):
        raise ValueError("twice")
    if "k" in checks and any(name not in written for name in keep):
        raise ValueError("keep")
    inputs = {name for step in steps for name in step[1]}
    if "s" in checks and not (inputs if "i" in checks else names) <= set(sizes):
        raise ValueError("size")
    done = set()
    for _, reads, writes in steps:
        for name in reads:
            early = name in written and name not in done
            if early and ("o" in checks or (name in writes and "w" in checks)):
                raise ValueError("order")
        done.update(writes)


def _cost(
    steps, sizes, fused, keep=(), *, checks="tkso", unique=True, once=True, last=True, kept=True
):
    _refuse(steps, sizes, keep, checks)
    size = lambda name: sizes.get(name, 0)  # noqa: E731
    flops, moved, inside = 0, 0, set()
    for index, (count, reads, writes) in enumerate(steps):
        flops += count
        for name in sorted(set(reads)) if unique else reads:
            if not fused or name not in inside:
                moved += size(name)
                if once or any(name in step[2] for step in steps):
                    inside.add(name)
        for name in writes:
            later = any(name in step[1] for step in steps[index + 1 :])
            if not fused or (last and not later) or (kept and name in keep):
                moved += size(name)
            inside.add(name)
    return flops, moved


@right("a walk through the steps")
def walk(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep)


@right("sets, a list back")
def by_sets(steps, sizes, fused, keep=()):
    made, read = set(), set()
    total = apart = 0
    all_made = {name for step in steps for name in step[2]}
    for flops, inputs, outputs in steps:
        for name in (*inputs, *outputs):
            if name not in sizes:
                raise ValueError(f"no size: {name}")
        if any(name in all_made and name not in made for name in inputs):
            raise ValueError("read too early")
        if made & set(outputs):
            raise ValueError("written twice")
        made |= set(outputs)
        read |= set(inputs)
        total += flops
        apart += sum(map(sizes.__getitem__, set(inputs))) + sum(map(sizes.__getitem__, outputs))
    if set(keep) - made:
        raise ValueError("keep")
    if not fused:
        return [total, apart]
    return [
        total,
        sum(sizes[n] for n in read - made) + sum(sizes[n] for n in (made - read) | set(keep)),
    ]


@wrong("same-input-twice", "x * x reads x once: count the different inputs of a step.")
def twice(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, unique=False)


@wrong("fusion-ignored", "Fused, intermediate tensors do not travel.")
def not_fused(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, False, keep)


@wrong("always-fused", "Apart, each step reads its inputs from memory and writes its outputs.")
def always(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, True, keep)


@wrong("input-read-each-step", "Fused, an input that several steps use is read once in all.")
def each_step(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, once=False)


@wrong("kept-not-written", "A tensor in keep is written to memory also when a later step reads it.")
def not_kept(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, kept=False)


@wrong(
    "only-kept-written", "A tensor that no step reads is a result: it is written, in keep or not."
)
def only_kept(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, last=False)


@wrong("last-step-only", "Any tensor that no step reads is written, not only the last step's.")
def last_step(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    if fused:
        read = {name for step in steps for name in step[1]}
        made = [name for step in steps[:-1] for name in step[2]]
        moved -= sum(sizes[n] for n in made if n not in read and n not in keep)
    return flops, moved


@wrong("kept-twice", "A result that is also in keep is written once.")
def kept_twice(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    read = {name for step in steps for name in step[1]}
    return flops, moved + (sum(sizes[n] for n in keep if n not in read) if fused else 0)


@wrong("kept-written-again", "Apart, every output is written already: keep adds nothing.")
def kept_apart(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    return flops, moved + (0 if fused else sum(sizes[n] for n in keep))


@wrong("all-sizes", "Count what the steps read and write, not all of `sizes`.")
def everything(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    return flops, moved if fused else sum(sizes.values())


@wrong(
    "each-tensor-once",
    "Apart, a tensor that two steps read moves twice, and once when it is written.",
)
def each_once(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    names = {name for step in steps for name in (*step[1], *step[2])}
    return flops, moved if fused else sum(sizes[n] for n in names)


@wrong("reads-only", "Writes move bytes too.")
def reads(steps, sizes, fused, keep=()):
    flops, _ = _cost(steps, sizes, fused, keep)
    return flops, sum(sizes[n] for step in steps for n in set(step[1]))


@wrong("flops-of-last", "Add up the operations of all steps.")
def last_flops(steps, sizes, fused, keep=()):
    _, moved = _cost(steps, sizes, fused, keep)
    return (steps[-1][0] if steps else 0), moved


@wrong("intensity-returned", "Return operations and bytes, not their ratio.")
def ratio(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    return flops / max(moved, 1)


@wrong("no-size-is-zero", "A tensor without a size must raise ValueError.")
def no_size(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, checks="tko")


@wrong("outputs-need-no-size", "Outputs need a size too: raise ValueError.")
def no_output_size(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, checks="tksio")


@wrong("order-not-checked", "A tensor read before it is written must raise ValueError.")
def no_order(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, checks="tksw")


@wrong("own-output-read", "A step cannot read what it writes itself: raise ValueError.")
def own_output(steps, sizes, fused, keep=()):
    written = [name for step in steps for name in step[2]]
    steps = [(f, [r for r in reads if r not in w], w) for f, reads, w in steps]
    del written
    return _cost(steps, sizes, fused, keep)


@wrong("written-twice-allowed", "A tensor written twice must raise ValueError.")
def two_writers(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, checks="kso")


@wrong("keep-not-checked", "A name in keep that no step writes must raise ValueError.")
def any_keep(steps, sizes, fused, keep=()):
    return _cost(steps, sizes, fused, keep, checks="tso")


@right("written by whom, keep as a tuple")
def by_producer(steps, sizes, fused, keep=()):
    writer = {}
    for index, (_, _, writes) in enumerate(steps):
        for name in writes:
            if name in writer:
                raise ValueError("written twice")
            writer[name] = index
    read = set()
    for index, (_, reads, writes) in enumerate(steps):
        read.update(reads)
        if any(name not in sizes for name in reads + writes):
            raise ValueError("no size")
        if any(writer.get(name, -1) >= index for name in reads):
            raise ValueError("too early")
    if any(name not in writer for name in keep):
        raise ValueError("keep")
    if fused:
        out = keep + tuple(name for name in writer if name not in read)
        crossing = [name for name in read if name not in writer] + list(set(out))
    else:
        crossing = [name for _, reads, writes in steps for name in [*set(reads), *writes]]
    return sum(step[0] for step in steps), sum(sizes[name] for name in crossing)


@wrong("first-step-only", "Fused, later steps may read inputs from memory too, not only the first.")
def first_step(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    if fused and steps:
        made = {name for step in steps for name in step[2]}
        later = {name for step in steps for name in step[1]} - made - set(steps[0][1])
        moved -= sum(sizes[name] for name in later)
    return flops, moved


@wrong(
    "next-step-only", "Fused, a tensor stays on the chip for every later step, not only the next."
)
def next_step(steps, sizes, fused, keep=()):
    flops, moved = _cost(steps, sizes, fused, keep)
    for index, (_, _, writes) in enumerate(steps if fused else ()):
        soon = steps[index + 1][1] if index + 1 < len(steps) else []
        for name in writes:
            far = any(name in step[1] for step in steps[index + 2 :])
            moved += sizes[name] if far and name not in soon and name not in keep else 0
    return flops, moved
