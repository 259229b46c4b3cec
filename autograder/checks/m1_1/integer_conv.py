"""integer-conv: int8 convolution with int32 sums; the border is padded with the zero-point."""

import numpy as np

from autograder.checks import case, expect
from autograder.checks.oracles import integers

PARTS = {"no padding": 0.4, "padding and stride": 0.4, "large sums": 0.2}
HINTS = (
    "x = x_q.astype(np.int32) - x_zero_point: now a real 0 is the integer 0, and that pads.",
    "OH = (H + 2 * padding - KH) // stride + 1, and the same for the width.",
    "np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(2, 3))[:, :, ::stride, ::stride]",
    "np.einsum('nchwij,ocij->nohw', windows, w): no kernel is flipped.",
)


def cases(rng):
    def one(label, x, w, zero_point=0, stride=1, padding=0, part="no padding"):
        return _case(rng, label, x, w, zero_point, stride, padding, part)

    yield one("1 x 1 image, 1 x 1 kernel", (1, 1, 1, 1), (1, 1, 1, 1))
    yield one("one channel, 3 x 3", (1, 1, 5, 6), (1, 1, 3, 3))
    yield one("the kernel covers the image", (2, 3, 4, 5), (2, 3, 4, 5), -3)
    yield one("kernel 2 x 3, 3 channels", (2, 3, 6, 5), (4, 3, 2, 3), 9)
    yield one("zero-point -128", (2, 2, 5, 5), (3, 2, 3, 3), -128)
    yield one("zero-point 127, 1 x 1 kernel", (1, 8, 4, 4), (5, 8, 1, 1), 127)
    rest = "padding and stride"
    yield one("padding 1", (2, 3, 6, 7), (4, 3, 3, 3), 0, 1, 1, rest)
    yield one("padding 1, zero-point -128", (1, 2, 5, 5), (3, 2, 3, 3), -128, 1, 1, rest)
    yield one("padding 2, zero-point 41", (2, 2, 5, 4), (3, 2, 5, 3), 41, 1, 2, rest)
    yield one("padding 2 around a 3 x 3 kernel", (1, 2, 4, 6), (2, 2, 3, 3), -50, 1, 2, rest)
    yield one("stride 2", (1, 3, 9, 8), (4, 3, 3, 3), -7, 2, 0, rest)
    yield one("stride 3, padding 1, ragged", (2, 2, 11, 8), (3, 2, 3, 2), 100, 3, 1, rest)
    yield one("an image as in LeNet-5", (2, 1, 28, 28), (6, 1, 5, 5), -128, 1, 2, rest)
    yield _large(rng)


def _case(rng, label, x_shape, w_shape, x_zero_point, stride, padding, part):
    return case(
        label,
        part,
        x_q=rng.integers(-128, 128, x_shape).astype(np.int8),
        w_q=rng.integers(-127, 128, w_shape).astype(np.int8),
        bias=rng.integers(-20_000, 20_000, w_shape[0]).astype(np.int32),
        x_zero_point=x_zero_point,
        stride=stride,
        padding=padding,
    )


def _large(rng):
    """Sums far above 2**24, which float32 cannot hold to the last bit."""
    return case(
        "256 channels, all of one sign",
        "large sums",
        x_q=rng.integers(60, 128, (1, 256, 6, 6)).astype(np.int8),
        w_q=rng.integers(60, 128, (4, 256, 3, 3)).astype(np.int8),
        bias=(rng.integers(-(2**30), 2**30, 4) | 1).astype(np.int32),
        x_zero_point=-128,
        stride=1,
        padding=1,
    )


def probe(solution, x_q, w_q, bias, x_zero_point, stride, padding):
    return solution(x_q, w_q, bias, x_zero_point, stride, padding)


def judge(case, answer):
    want = integers.conv_sums(
        case.x_q, case.w_q, case.bias, case.x_zero_point, case.stride, case.padding
    )
    expect.array(answer, "the result", shape=want.shape, hint=HINTS[1])
    expect.array(answer, "the result", dtype=np.int32)
    bad = np.argwhere(answer != want)
    hint = ""
    if len(bad):
        bias = int(case.bias[bad[0][1]])
        hint = (
            f"There the bias is {bias} and the sum of products {int(want[tuple(bad[0])]) - bias}."
        )
    if len(bad) and case.padding:
        rows, columns = want.shape[2:]
        edge = np.zeros((rows, columns), bool)
        edge[[0, -1]] = edge[:, [0, -1]] = True
        if edge[bad[:, 2], bad[:, 3]].all():
            hint = (
                "Only the border is wrong: a padded position must stand for the real value 0, whose "
                f"code is x_zero_point = {case.x_zero_point}."
            )
    expect.codes(answer, want, "the result", hint=hint)
