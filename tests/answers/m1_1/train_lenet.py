"""Answers to train-lenet. Training draws random numbers, so no wrong answer is recognised by name."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from autograder.checks.bank import right, wrong

# A second thread only waits in layers this small, and much longer on a busy machine.
torch.set_num_threads(1)
SHAPES = {"conv1": (8, 1, 5, 5), "conv2": (32, 8, 5, 5), "fc1": (128, 800), "fc2": (10, 128)}
KEYS = [f"{layer}.{part}" for layer in SHAPES for part in ("weight", "bias")]


def _start(generator, shapes=SHAPES):
    tensors = {}
    for layer, shape in shapes.items():
        bound = math.prod(shape[1:]) ** -0.5
        for part, size in (("weight", shape), ("bias", shape[:1])):
            values = bound * (2 * torch.rand(size, generator=generator) - 1)
            tensors[f"{layer}.{part}"] = values.requires_grad_()
    return tensors


def _logits(t, x, act=F.relu, padding=2):
    x = F.max_pool2d(act(F.conv2d(x, t["conv1.weight"], t["conv1.bias"], padding=padding)), 2)
    x = F.max_pool2d(act(F.conv2d(x, t["conv2.weight"], t["conv2.bias"])), 2).flatten(1)
    return F.linear(
        act(F.linear(x, t["fc1.weight"], t["fc1.bias"])), t["fc2.weight"], t["fc2.bias"]
    )


def _train(images, labels, epochs, seed, *, lr=2e-3, divisor=255.0, trained=KEYS, batches=None,
           shuffle_labels=False, act=F.relu, size=64, shapes=SHAPES, padding=2, decay=0.0):  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    tensors = _start(generator, shapes)
    x = torch.from_numpy(images[:, None].astype(np.float32) / divisor)
    y = torch.from_numpy(labels.astype(np.int64))
    if shuffle_labels:
        y = y[torch.randperm(len(y), generator=generator)]
    optimizer = torch.optim.AdamW([tensors[k] for k in trained], lr=lr, weight_decay=decay)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(size)[:batches]:
            loss = F.cross_entropy(_logits(tensors, x[rows], act, padding), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {k: t.detach().numpy() for k, t in tensors.items()}


@right("Adam at a constant 2e-3")
def adam(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed)


@right("torch.nn modules, momentum SGD, the global generator seeded")
def modules(images, labels, epochs=8, seed=0):
    torch.manual_seed(seed)
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    x = torch.tensor(images, dtype=torch.float32).unsqueeze(1) / 255
    y = torch.tensor(labels, dtype=torch.long)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for at in range(0, len(x), 32):
            rows = order[at : at + 32]
            optimizer.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    names = {"conv1": 0, "conv2": 3, "fc1": 7, "fc2": 9}
    return {
        f"{layer}.{part}": getattr(net[i], part).detach().numpy().copy()
        for layer, i in names.items()
        for part in ("weight", "bias")
    }


@right("OneCycleLR and images moved by a pixel, as in the docstring")
def recipe(images, labels, epochs=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tensors = _start(generator)
    x, y = torch.from_numpy(images[:, None] / np.float32(255)), torch.from_numpy(labels).long()
    optimizer = torch.optim.Adam(tensors.values(), lr=5e-3)
    total = max(1, epochs * -(-len(x) // 64))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=total)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(64):
            move = torch.randint(-1, 2, (2,), generator=generator).tolist()
            optimizer.zero_grad()
            F.cross_entropy(_logits(tensors, torch.roll(x[rows], move, (2, 3))), y[rows]).backward()
            optimizer.step()
            schedule.step()
    return {k: t.detach().numpy() for k, t in tensors.items()}


@wrong("untrained", "You returned the parameters as they were before training.", diagnose=False)
def untrained(images, labels, epochs=8, seed=0):
    return _train(images, labels, 0, seed)


@wrong("one-batch", "You trained on the first batch of each epoch only.", diagnose=False)
def one_batch(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, batches=1)


@wrong("whole-set-batch", "You took one step an epoch, on all images at once.", diagnose=False)
def whole_set(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, size=len(images))


@wrong("last-layer-only", "You trained fc2 alone.", diagnose=False)
def last_layer(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, trained=["fc2.weight", "fc2.bias"], lr=1e-2)


@wrong("weights-only", "The optimizer did not get the biases.", diagnose=False)
def weights_only(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, trained=[k for k in KEYS if "weight" in k])


@wrong("seed-ignored", "You drew the parameters from an unseeded generator.", diagnose=False)
def unseeded(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, int(np.random.default_rng().integers(2**31)))


@wrong("seed-fixed", "You ignored the argument seed and used 0.", diagnose=False)
def fixed_seed(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, 0)


@wrong("shuffled-labels", "Images and labels were shuffled apart.", diagnose=False)
def apart(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, shuffle_labels=True)


@wrong("no-relu", "You trained without the ReLUs.", diagnose=False)
def linear(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, act=lambda x: x)


@wrong("tanh", "You trained with tanh, as in 1998; this network has ReLUs.", diagnose=False)
def tanh(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, act=torch.tanh)


@wrong("inverted-pixels", "You trained on 1 - pixel / 255.", diagnose=False)
def inverted(images, labels, epochs=8, seed=0):
    return _train(255 - images, labels, epochs, seed)


@wrong("one-epoch", "You trained for one epoch whatever `epochs` says.", diagnose=False)
def one_epoch(images, labels, epochs=8, seed=0):
    return _train(images, labels, 1, seed)


@wrong("no-padding", "You left out the padding of conv1, so fc1 has other inputs.", diagnose=False)
def no_padding(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, shapes={**SHAPES, "fc1": (128, 512)}, padding=0)


@wrong("float64", "You returned float64 arrays.", diagnose=False)
def double(images, labels, epochs=8, seed=0):
    return {k: v.astype(np.float64) for k, v in _train(images, labels, epochs, seed).items()}


@wrong("tensors", "You returned torch tensors in place of NumPy arrays.", diagnose=False)
def tensors(images, labels, epochs=8, seed=0):
    return {k: torch.from_numpy(v) for k, v in _train(images, labels, epochs, seed).items()}


@wrong(
    "labels-off-by-one", "You counted the classes from 1: label 0 trains logit 1.", diagnose=False
)
def labels_off(images, labels, epochs=8, seed=0):
    return _train(images, (labels + 1) % 10, epochs, seed)


@wrong("bound-at-zero", "You clipped the weights at 0 and above.", diagnose=False)
def no_negative(images, labels, epochs=8, seed=0):
    return {k: np.maximum(v, 0) for k, v in _train(images, labels, epochs, seed).items()}


@wrong(
    "raw-pixels", "You trained on pixels 0 to 255; the network sees pixel / 255.", diagnose=False
)
def raw_pixels(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, divisor=1.0)


@wrong(
    "standardised", "You standardised the pixels with MNIST's mean and deviation.", diagnose=False
)
def standardised(images, labels, epochs=8, seed=0):
    return _train(images - 255 * np.float32(0.1307), labels, epochs, seed, divisor=255 * 0.3081)


@wrong(
    "own-statistics",
    "You standardised the pixels with their own mean and deviation.",
    diagnose=False,
)
def own_statistics(images, labels, epochs=8, seed=0):
    divisor = float(images.std()) + 1e-7
    return _train(images - np.float32(images.mean()), labels, epochs, seed, divisor=divisor)


@wrong("minus-one-to-one", "You scaled the pixels to -1..1.", diagnose=False)
def minus_one(images, labels, epochs=8, seed=0):
    return _train(images - np.float32(127.5), labels, epochs, seed, divisor=127.5)


@right("AdamW with weight decay")
def decay(images, labels, epochs=8, seed=0):
    return _train(images, labels, epochs, seed, decay=0.01)
