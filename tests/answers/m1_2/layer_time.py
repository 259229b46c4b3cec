"""Answers to layer-time."""

from autograder.checks.bank import right, wrong


def _time(
    n,
    rows,
    columns,
    wb,
    ab,
    bandwidth,
    rates,
    *,
    bits=None,
    operations=None,
    rate=None,
    both=max,
    unit=1.0,
):
    """The roofline with one of its terms exchanged."""
    if ab not in rates:
        raise ValueError("no rate")
    if bits is None:
        bits = rows * columns * wb + n * columns * ab + n * rows * 16
    operations = 2 * n * rows * columns if operations is None else operations
    memory = bits / 8 / (bandwidth * 1e9) * 1e6
    compute = operations / ((rate or rates[ab]) * 1e12) * 1e6
    return both(memory, compute) * unit, "memory" if memory > compute else "compute"


@right("two times in microseconds, the larger one")
def by_max(tokens, rows, columns, weight_bits, activation_bits, bandwidth_gb_s, rates_tops):
    return _time(tokens, rows, columns, weight_bits, activation_bits, bandwidth_gb_s, rates_tops)


@right("in seconds, sorted by time")
def by_sorting(tokens, rows, columns, weight_bits, activation_bits, bandwidth_gb_s, rates_tops):
    try:
        rate = rates_tops[activation_bits]
    except KeyError:
        raise ValueError("no rate") from None
    weights = rows * columns * weight_bits / 8
    moved = weights + tokens * columns * activation_bits / 8 + tokens * rows * 2
    seconds = {
        "compute": 2 * tokens * rows * columns / rate / 1e12,
        "memory": moved / bandwidth_gb_s / 1e9,
    }
    limit = sorted(seconds, key=seconds.get)[-1]
    return seconds[limit] * 1e6, limit


@wrong("sum-of-both", "You added the two times; they overlap, the larger one counts.")
def sum_of_both(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth, rates, both=lambda a, b: a + b)


@wrong("smaller-time", "You took the smaller time; the slower side decides.")
def smaller(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth, rates, both=min)


@wrong("bits-for-bytes", "You took bits for bytes: divide by 8.")
def bits_for_bytes(n, rows, columns, wb, ab, bandwidth, rates):
    bits = 8 * (rows * columns * wb + n * columns * ab + n * rows * 16)
    return _time(n, rows, columns, wb, ab, bandwidth, rates, bits=bits)


@wrong("weights-only", "You counted the weights alone; inputs and outputs move too.")
def weights_only(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth, rates, bits=rows * columns * wb)


@wrong("outputs-forgotten", "You left out the outputs: tokens * rows values of 16 bits.")
def no_outputs(n, rows, columns, wb, ab, bandwidth, rates):
    bits = rows * columns * wb + n * columns * ab
    return _time(n, rows, columns, wb, ab, bandwidth, rates, bits=bits)


@wrong("narrow-outputs", "You counted the outputs in activation_bits; they have 16 bits.")
def narrow_outputs(n, rows, columns, wb, ab, bandwidth, rates):
    bits = rows * columns * wb + n * (rows + columns) * ab
    return _time(n, rows, columns, wb, ab, bandwidth, rates, bits=bits)


@wrong("rows-and-columns-swapped", "Inputs have `columns` values a token, outputs `rows`.")
def swapped(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, columns, rows, wb, ab, bandwidth, rates)


@wrong("activations-in-16-bits", "You counted the inputs in 16 bits; use activation_bits.")
def wide_inputs(n, rows, columns, wb, ab, bandwidth, rates):
    bits = rows * columns * wb + n * columns * 16 + n * rows * 16
    return _time(n, rows, columns, wb, ab, bandwidth, rates, bits=bits)


@wrong("one-operation", "A multiplication and an addition are two operations.")
def one_operation(n, rows, columns, wb, ab, bandwidth, rates):
    operations = n * rows * columns
    return _time(n, rows, columns, wb, ab, bandwidth, rates, operations=operations)


@wrong(
    "rate-of-the-weights",
    "You took the rate of the weights' format; the products are made in that of the activations.",
)
def rate_of_weights(n, rows, columns, wb, ab, bandwidth, rates):
    if ab not in rates:
        raise ValueError("no rate")
    return _time(
        n, rows, columns, wb, ab, bandwidth, rates, rate=rates.get(wb, max(rates.values()))
    )


@wrong("fp16-rate", "You always took the FP16 rate; use that of the activations' bits.")
def fp16_rate(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth, rates, rate=rates[16])


@wrong("seconds", "Your time is in seconds; give microseconds.")
def seconds(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth, rates, unit=1e-6)


@wrong("milliseconds", "Your time is in milliseconds; give microseconds.")
def milliseconds(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth, rates, unit=1e-3)


@wrong("binary-gigabytes", "You took 2**30 for a GB; 1 GB/s is 1e9 bytes a second here.")
def binary(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth * 2**30 / 1e9, rates)


@wrong("limit-swapped", "You named the faster side; the slower one limits.")
def limit_swapped(n, rows, columns, wb, ab, bandwidth, rates):
    time_us, limit = _time(n, rows, columns, wb, ab, bandwidth, rates)
    return time_us, "compute" if limit == "memory" else "memory"


@wrong("always-memory", "Your limit is always memory; compare the two times.")
def always_memory(n, rows, columns, wb, ab, bandwidth, rates):
    return _time(n, rows, columns, wb, ab, bandwidth, rates)[0], "memory"


@wrong("missing-rate", "A format without a rate got one; raise ValueError.")
def missing_rate(n, rows, columns, wb, ab, bandwidth, rates):
    rates = {**rates, ab: rates.get(ab, max(rates.values()))}
    return _time(n, rows, columns, wb, ab, bandwidth, rates)


@right("numpy float32 times")
def in_float32(tokens, rows, columns, weight_bits, activation_bits, bandwidth_gb_s, rates_tops):
    import numpy as np

    if rates_tops.get(activation_bits) is None:
        raise ValueError("no rate")
    bits = rows * columns * weight_bits + tokens * columns * activation_bits + tokens * rows * 16
    rate = rates_tops[activation_bits]
    both = np.array(
        [bits / 8e3 / bandwidth_gb_s, 2e-6 * tokens * rows * columns / rate], np.float32
    )
    return both.max(), ["memory", "compute"][both.argmax()]


@wrong("whole-bytes", "You rounded bytes to whole ones; nothing is rounded.")
def whole_bytes(n, rows, columns, wb, ab, bandwidth, rates):
    moved = rows * columns * wb // 8 + n * columns * ab // 8 + n * rows * 2
    return _time(n, rows, columns, wb, ab, bandwidth, rates, bits=8 * moved)
