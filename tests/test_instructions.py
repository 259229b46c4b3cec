"""The generated instruction set: the same each time, right, and learnable."""

import re
from collections import Counter

import pytest
import torch

from lab.errors import CourseError
from lab.instructions import (
    IGNORED,
    TASKS,
    WORDS,
    Example,
    encode_examples,
    instruction_set,
    score_responses,
)
from lab.lm import load_lm, load_tokenizer
from lab.profile import seed_everything

NUMBERS = ["one", "two", "three", "four"]


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer()


def answer(example: Example) -> str:
    """The right response, worked out from the instruction's words alone."""
    text = example.instruction
    inside = re.search(r"\((.*)\)", text)
    match example.task:
        case "module":
            return re.search(r"is (\w+)\.", text)[1]
        case "arguments":
            return inside[1]
        case "count":
            return NUMBERS[inside[1].count(",")]
        case "signature":
            return "{}({}, {})".format(
                *re.fullmatch(r"Write .* of (\S+) with (\w+) and (\w+)\.", text).groups()
            )
        case "last":
            return text.split()[-1]
        case "repeat":
            times, words = re.fullmatch(r"Write this (\w+) times: (.*)", text).groups()
            return ", ".join([words] * (NUMBERS.index(times) + 1))


def test_the_set_is_deterministic_and_split():
    train, heldout = instruction_set()
    assert (train, heldout) == instruction_set()
    assert (len(train), len(heldout)) == (1200, 150)
    instructions = [e.instruction for e in train + heldout]
    assert len(set(instructions)) == len(instructions)
    assert instruction_set(seed=1)[0] != train
    assert Counter(e.task for e in heldout) == dict.fromkeys(TASKS, 25)


def test_every_response_is_right():
    train, heldout = instruction_set()
    for example in train + heldout:
        assert example.response == answer(example), example
        assert (
            example.text
            == f"### Instruction:\n{example.instruction}\n\n### Response:\n{example.response}"
        )
    assert len(set(WORDS)) == len(WORDS)


def test_labels_cover_the_response_and_its_end_alone(tokenizer):
    examples = instruction_set(12, 0)[0]
    batch = encode_examples(tokenizer, examples)
    assert {key: value.dtype for key, value in batch.items()} == dict.fromkeys(batch, torch.int64)
    for at, example in enumerate(examples):
        kept = batch["labels"][at] != IGNORED
        ids = batch["input_ids"][at]
        assert (ids[kept] == batch["labels"][at][kept]).all()
        assert tokenizer.decode(ids[kept]) == example.response + "<|endoftext|>"
        seen = ids[batch["attention_mask"][at].bool()]
        assert tokenizer.decode(seen) == example.text + "<|endoftext|>"


def test_the_score_is_the_loss_of_the_responses(tokenizer):
    model = load_lm("draft")
    examples = instruction_set(60, 0)[0]
    loss, exact = score_responses(model, tokenizer, examples)
    total = count = right = 0
    for example in examples:
        batch = encode_examples(tokenizer, [example])
        with torch.no_grad():
            out = model(**batch)
        tokens = int((batch["labels"] != IGNORED).sum())
        total, count = total + float(out.loss) * tokens, count + tokens
        right += bool(
            (out.logits[0, -tokens - 1 : -1].argmax(-1) == batch["labels"][0, -tokens:]).all()
        )
    assert loss == pytest.approx(total / count, rel=1e-4)
    assert exact == right / 60


def test_lora_learns_the_form(tokenizer):
    from peft import LoraConfig, get_peft_model

    seed_everything(0)
    train, heldout = instruction_set(320, 30)
    model = load_lm()
    before, _ = score_responses(model, tokenizer, heldout)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj", "up_proj"])
    tuned = get_peft_model(model, config)
    adapters = [p for p in tuned.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(adapters, lr=1e-2)
    tuned.train()
    for step in range(20):
        batch = encode_examples(tokenizer, train[16 * step : 16 * step + 16])
        optimizer.zero_grad()
        tuned(**batch).loss.backward()
        optimizer.step()
    after, _ = score_responses(tuned, tokenizer, heldout)
    assert tuned.training  # put back
    assert after < 0.6 * before


def test_bad_input_is_one_sentence(tokenizer):
    for call, message in (
        (lambda: instruction_set(-1, 5), "must be 0 or more"),
        (lambda: instruction_set(20_000, 1), "20,000 together at most"),
        (lambda: encode_examples(tokenizer, []), "no examples"),
        (lambda: score_responses(None, tokenizer, []), "no examples"),
    ):
        with pytest.raises(CourseError, match=message):
            call()
    assert len(instruction_set(19_999, 1)[0]) == 19_999
