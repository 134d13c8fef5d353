"""Train the network: one softmax over all windows of a question, and one over each window by itself.

The first makes the logits of windows comparable (C. Clark and M. Gardner, 2018); the second teaches each window to say that it
has no answer. Windows and forms are drawn anew in each pass. The state is saved every few minutes; a later run goes on from it.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from tokenizers import Tokenizer
from torch import Tensor

from reader_training.encoder import PAD
from reader_training.examples import Question, Tokens, drawn, encoded
from reader_training.network import Network

__all__ = ["Schedule", "train"]

_QUESTIONS, _WINDOWS = 8, 3
"""Questions of a batch, and windows of each."""
_SORTED = 8
"""Batches among which questions are sorted by length, to pad less."""
_HEAD_FACTOR, _LEAST, _WARM_UP = 4.0, 0.02, 30
"""The head's multiple of the learning rate, the least share it falls to, and the steps in which it rises."""
_OVERALL, _OWN = 0.6, 0.6
"""Weights of the two softmaxes."""
_NOWHERE = -1e4
_SAVED_EVERY_S = 240
_REPORTED_EVERY = 25


@dataclass(frozen=True)
class Schedule:
    """How long to train: the learning rate falls to nearly nothing over these minutes, whatever machine it is.

    `origin` says what the training began from: a checkpoint of another origin is refused.
    """

    minutes: float
    rate: float
    seed: int
    checkpoint: Path
    origin: str


class _Batch:
    """The tensors of a batch: pieces, types, masks and targets of its windows."""

    def __init__(self, questions: Sequence[Sequence[Tokens]]) -> None:
        rows = [(owner, tokens) for owner, windows in enumerate(questions) for tokens in windows]
        count, length = len(rows), max(len(tokens.ids) for _, tokens in rows)
        self.questions = len(questions)
        self.owner = torch.tensor([owner for owner, _ in rows])
        self.ids = torch.full((count, length), PAD)
        self.types = torch.zeros(count, length, dtype=torch.long)
        self.mask, self.starts, self.ends = (torch.zeros(count, length) for _ in range(3))
        self.allowed = torch.zeros(count, length, dtype=torch.bool)
        for row, (_, tokens) in enumerate(rows):
            size = len(tokens.ids)
            self.ids[row, :size] = torch.tensor(tokens.ids)
            self.mask[row, :size] = 1
            self.types[row, tokens.second : size] = 1
            self.allowed[row, 0] = True
            self.allowed[row, tokens.first : tokens.last] = True
            for start, end in tokens.spans or [(0, 0)]:
                self.starts[row, start] = self.ends[row, end] = 1


def train(network: Network, tokenizer: Tokenizer, questions: Sequence[Question], schedule: Schedule) -> None:
    """Train until the minutes are over, from the checkpoint on if there is one.

    The loss is printed now and then.
    """
    torch.manual_seed(schedule.seed)
    body, head = network.freeze(), list(network.head.parameters())
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": schedule.rate}, {"params": head, "lr": schedule.rate * _HEAD_FACTOR}],
        weight_decay=0.01,
        betas=(0.9, 0.98),
        fused=True,
    )
    rates = [group["lr"] for group in optimiser.param_groups]
    step, spent = _resumed(network, optimiser, schedule)
    batches = _batches(questions, tokenizer, random.Random(schedule.seed + step))
    halved = _is_faster_halved(network, next(batches))
    began = saved = time.monotonic()
    losses: list[float] = []
    network.train()
    while (share := (spent + time.monotonic() - began) / 60 / schedule.minutes) < 1:
        step += 1
        factor = min(1.0, step / _WARM_UP) * max(_LEAST, 1 - share)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        loss = _loss(network, next(batches), halved=halved)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(body, 1.0)
        optimiser.step()
        losses.append(loss.item())
        if step % _REPORTED_EVERY == 0:
            mean = sum(losses[-_REPORTED_EVERY:]) / len(losses[-_REPORTED_EVERY:])
            print(f"step {step}: loss {mean:.3f}, {100 * share:.0f} % of the time", flush=True)
        if time.monotonic() - saved > _SAVED_EVERY_S:
            saved = time.monotonic()
            _save(network, optimiser, schedule, step, spent + saved - began)
    _save(network, optimiser, schedule, step, spent + time.monotonic() - began)


def _batches(questions: Sequence[Question], tokenizer: Tokenizer, chance: random.Random) -> Iterator[_Batch]:
    """Yield batches without end; in each pass every question comes once, in one of its forms."""
    order = list(questions)
    while True:
        chance.shuffle(order)
        waiting: list[list[Tokens]] = []
        for question in order:
            text, windows = drawn(question, _WINDOWS, chance)
            if windows:
                waiting.append([encoded(tokenizer, text, window, with_context=chance.random() > 0.1) for window in windows])
            if len(waiting) == _QUESTIONS * _SORTED:
                yield from _sorted_batches(waiting, chance)
                waiting = []
        yield from _sorted_batches(waiting, chance)


def _sorted_batches(waiting: list[list[Tokens]], chance: random.Random) -> Iterator[_Batch]:
    """Yield batches of questions of about one length, in a drawn order."""
    waiting.sort(key=lambda windows: max(len(tokens.ids) for tokens in windows))
    parts = [waiting[at : at + _QUESTIONS] for at in range(0, len(waiting), _QUESTIONS)]
    chance.shuffle(parts)
    yield from map(_Batch, parts)


def _is_faster_halved(network: Network, batch: _Batch) -> bool:
    """Return True if this machine takes a step in bfloat16 faster than in float32.

    The processors differ: some are twice as fast, others half.
    """
    seconds = {}
    for halved in (True, False, True, False):  # the first two warm up
        began = time.monotonic()
        _loss(network, batch, halved=halved).backward()
        seconds[halved] = time.monotonic() - began
    network.zero_grad(set_to_none=True)
    return seconds[True] < seconds[False]


def _loss(network: Network, batch: _Batch, *, halved: bool) -> Tensor:
    """Return the cross entropy of start and end, over all windows of a question and over each window.

    `halved` computes in bfloat16.
    """
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=halved):
        logits = network(batch.ids, batch.types, batch.mask)
    total = torch.zeros(())
    for place, target in ((0, batch.starts), (1, batch.ends)):
        own = logits[..., place].float().masked_fill(~batch.allowed, _NOWHERE)
        of_window = torch.logsumexp(own, 1)
        right = torch.logsumexp(own.masked_fill(target == 0, _NOWHERE), 1)
        # Where a window has the answer, "no answer" is no right end of the question.
        answered = torch.zeros(batch.questions).index_add_(0, batch.owner, 1.0 - target[:, 0]) > 0
        spans = target.clone()
        spans[answered[batch.owner], 0] = 0
        overall = torch.logsumexp(own.masked_fill(spans == 0, _NOWHERE), 1)
        loss = torch.stack(
            [
                torch.logsumexp(of_window[batch.owner == owner], 0) - torch.logsumexp(overall[batch.owner == owner], 0)
                for owner in range(batch.questions)
            ]
        )
        total = total + (_OVERALL * loss.mean() + _OWN * (of_window - right).mean()) / 2
    return total


def _save(network: Network, optimiser: torch.optim.Optimizer, schedule: Schedule, step: int, spent: float) -> None:
    """Save everything that a later run needs, in one step."""
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "spent": spent}
    state["origin"], path = schedule.origin, schedule.checkpoint
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def _resumed(network: Network, optimiser: torch.optim.Optimizer, schedule: Schedule) -> tuple[int, float]:
    """Load a checkpoint if there is one; return its step and the seconds that it took.

    Raises ValueError if it is of another origin: its rows may belong to other pieces.
    """
    path = schedule.checkpoint
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    if state.get("origin") != schedule.origin:
        raise ValueError(f"{path} belongs to another training: remove it, or name another file by --checkpoint")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return cast(int, state["step"]), cast(float, state["spent"])
