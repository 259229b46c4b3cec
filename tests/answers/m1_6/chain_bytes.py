"""Answers to chain-bytes."""

from autograder.checks.bank import right, wrong


def _refuse(operators, size_bytes, keep, checks="stbok"):
    made = [output for _, output in operators]
    used = [name for inputs, _ in operators for name in inputs]
    if "s" in checks and any(name not in size_bytes for name in made + used):
        raise ValueError("size")
    if "t" in checks and len(set(made)) != len(made):
        raise ValueError("twice")
    for index, (inputs, output) in enumerate(operators):
        if "b" in checks and any(name in made[index + 1 :] for name in inputs):
            raise ValueError("before")
        if "o" in checks and output in inputs:
            raise ValueError("own")
    if "k" in checks and any(name not in made for name in keep):
        raise ValueError("keep")


def _unfused(operators, size_bytes, distinct=True, write=lambda name: True):
    total = 0
    for inputs, output in operators:
        total += sum(size_bytes[name] for name in (set(inputs) if distinct else inputs))
        total += size_bytes[output] if write(output) else 0
    return total


def _fused(operators, size_bytes, keep, distinct=True, inner=False, all_out=False):
    made = {output for _, output in operators}
    used = [name for inputs, _ in operators for name in inputs]
    used = sorted(set(used)) if distinct else used
    read = sum(size_bytes[n] for n in used if inner or n not in made)
    return read + sum(size_bytes[n] for n in (made if all_out else set(keep)))


@right("two functions")
def two(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep)


@right("tensor by tensor, in order")
def by_tensor(operators, size_bytes, keep):
    one_by_one, kernel, known, outside = 0, 0, set(), set()
    later = {output for _, output in operators}
    if len(later) < len(operators) or set(keep) - later:
        raise ValueError("outputs")
    for inputs, output in operators:
        for name in dict.fromkeys(inputs):
            if name not in size_bytes or (name in later and name not in known):
                raise ValueError(name)
            one_by_one += size_bytes[name]
            if name not in known and name not in outside:
                outside.add(name)
                kernel += size_bytes[name]
        if output not in size_bytes:
            raise ValueError(output)
        known.add(output)
        one_by_one += size_bytes[output]
        kernel += size_bytes[output] * (output in keep)
    return [one_by_one, kernel]


@wrong("every-mention-read", "One operator reads a tensor once, also where it uses it twice.")
def mentions(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    return _unfused(operators, size_bytes, distinct=False), _fused(operators, size_bytes, keep)


@wrong("only-needed-outputs-written", "Unfused, each operator writes its output, needed or not.")
def needed(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    used = {name for inputs, _ in operators for name in inputs}
    return (
        _unfused(operators, size_bytes, write=lambda n: n in used or n in keep),
        _fused(operators, size_bytes, keep),
    )


@wrong(
    "fused-reads-for-each-operator", "The fused kernel reads a tensor once for all its operators."
)
def again(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep, distinct=False)


@wrong(
    "intermediates-read", "Intermediates stay in registers: the fused kernel does not read them."
)
def inner(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep, inner=True)


@wrong("intermediates-written", "The fused kernel writes what is kept, nothing else.")
def all_out(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep, all_out=True)


@wrong("last-output-alone", "Every tensor in keep is written, not the last one alone.")
def last(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    end = {operators[-1][1]} if operators else set()
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, end)


@wrong("first-input-alone", "Side inputs such as a bias are read too.")
def first(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    chain = [(tuple(inputs[:1]), output) for inputs, output in operators]
    return _unfused(chain, size_bytes), _fused(chain, size_bytes, keep)


@wrong("reads-only", "Writes move bytes too.")
def reads(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    return (
        _unfused(operators, size_bytes, write=lambda n: False),
        _fused(operators, size_bytes, set()),
    )


@wrong(
    "kept-tensors-read-back",
    "A kept tensor that is used again in the kernel is still in a register.",
)
def read_back(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    used = {name for inputs, _ in operators for name in inputs}
    back = sum(size_bytes[name] for name in set(keep) & used)
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep) + back


@wrong("largest-tensor-for-all", "Tensors have their own sizes: a bias is small.")
def largest(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep)
    sizes = dict.fromkeys(size_bytes, max(size_bytes.values(), default=0))
    return _unfused(operators, sizes), _fused(operators, sizes, keep)


@wrong("fused-first", "First unfused_bytes, then fused_bytes.")
def swapped(operators, size_bytes, keep):
    return two(operators, size_bytes, keep)[::-1]


@wrong("unknown-size-is-zero", "A tensor without a size must raise ValueError.")
def unknown(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep, "tbok")
    sizes = {n: 0 for inputs, out in operators for n in (*inputs, out)} | size_bytes
    return _unfused(operators, sizes), _fused(operators, sizes, keep)


@wrong("made-twice", "A tensor that is made twice must raise ValueError.")
def twice(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep, "sbok")
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep)


@wrong("order-not-checked", "A tensor used before it is made must raise ValueError.")
def unordered(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep, "stok")
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep)


@wrong("own-result-read", "An operator that uses its own result must raise ValueError.")
def own(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep, "stbk")
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, keep)


@wrong("keep-not-checked", "Keeping what no operator makes must raise ValueError.")
def any_keep(operators, size_bytes, keep):
    _refuse(operators, size_bytes, keep, "stbo")
    known = {output for _, output in operators}
    return _unfused(operators, size_bytes), _fused(operators, size_bytes, set(keep) & known)
