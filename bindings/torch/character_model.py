#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a small model of characters twice, with PyTorch's cross-entropy and with softlane's, and compares the losses.

The text is a file of this repository, softlane.h. The model predicts each character from those before it: embeddings, a causal mixture
over a window, two layers. Both begin with the same weights and see the same batches, step by step in turn: their losses differ by
rounding only, which training makes larger with every step. With --vocabulary the classes are as many as said, of which the text uses the
first ones: what a language model's last layer costs.
"""
import argparse
import pathlib
import statistics
import sys
import time

TEXT = pathlib.Path(__file__).resolve().parent.parent.parent / "include" / "softlane.h"


def refuse(message):
    print(f"character_model.py: {message}", file=sys.stderr)
    sys.exit(2)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=pathlib.Path, default=TEXT, help="what is learnt (default: softlane.h)")
    parser.add_argument("--steps", type=int, default=200, help="(default: 200)")
    parser.add_argument("--batch", type=int, default=16, help="windows of each step (default: 16)")
    parser.add_argument("--window", type=int, default=32, help="characters of each (default: 32)")
    parser.add_argument("--width", type=int, default=64, help="of the model (default: 64)")
    parser.add_argument("--vocabulary", type=int, default=0, metavar="N", help="classes (default: the text's characters)")
    parser.add_argument("--threads", type=int, default=1, help="PyTorch's threads (default: 1)")
    arguments = parser.parse_args()
    for name in ("steps", "batch", "window", "width", "threads"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name}: must be at least 1")
    return arguments


def read(arguments):
    """The text as class ids, and how many classes there are."""
    try:
        text = arguments.text.read_text(encoding="utf-8")
    except OSError as error:
        refuse(f"--text: {error}")
    if len(text) <= arguments.window:
        refuse("--text: is shorter than a window")
    characters = sorted(set(text))
    if 0 < arguments.vocabulary < len(characters):
        refuse(f"--vocabulary: the text has {len(characters)} characters")
    ids = {c: i for i, c in enumerate(characters)}
    return torch.tensor([ids[c] for c in text]), max(len(characters), arguments.vocabulary)


def make_model(classes, window, width):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(classes, width)
            self.place = torch.nn.Parameter(torch.zeros(window, window))
            self.hidden = torch.nn.Linear(2 * width, 4 * width)
            self.last = torch.nn.Linear(4 * width, classes)
            self.register_buffer("later", torch.ones(window, window).triu(1).bool())

        def forward(self, ids):
            x = self.embedding(ids)
            mixture = functional.softmax(self.place.masked_fill(self.later, float("-inf")), dim=-1)
            return self.last(functional.gelu(self.hidden(torch.cat([x, mixture @ x], -1))))

    return Model()


def train(arguments, text, classes, loss_function):
    """A generator: each step's loss and seconds."""
    torch.manual_seed(1)
    model = make_model(classes, arguments.window, arguments.width)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    random = torch.Generator().manual_seed(1)
    while True:
        start = torch.randint(0, len(text) - arguments.window, (arguments.batch, 1), generator=random)
        windows = text[start + torch.arange(arguments.window + 1)]
        began = time.perf_counter()
        logits = model(windows[:, :-1])
        loss = loss_function(logits.flatten(0, 1), windows[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield loss.item(), time.perf_counter() - began


def main():
    arguments = parse()
    global torch, functional
    try:
        import softlane.torch
        import torch
        import torch.nn.functional as functional
    except ImportError as error:
        refuse(f"needs softlane.torch ({error})")
    torch.set_num_threads(arguments.threads)
    text, classes = read(arguments)
    print(f"{len(text)} characters, {classes} classes, {arguments.batch * arguments.window} rows a step, {arguments.steps} steps")
    runs = [train(arguments, text, classes, f) for f in (functional.cross_entropy, softlane.torch.cross_entropy)]
    steps = [[next(run) for run in runs] for _ in range(arguments.steps)]  # in turn, so that both see the same machine
    (theirs, their_times), (own, own_times) = [list(zip(*run)) for run in zip(*steps)]
    their_time, own_time = statistics.median(their_times) * 1e3, statistics.median(own_times) * 1e3
    print("step   PyTorch  softlane")
    for step in sorted({0, *range(arguments.steps // 10, arguments.steps, max(arguments.steps // 10, 1)), arguments.steps - 1}):
        print(f"{step:4}  {theirs[step]:.6f}  {own[step]:.6f}")
    apart = max(abs(a - b) / b for a, b in zip(own, theirs))
    print(f"losses differ by {apart:.1e} of themselves at most")
    print(f"a step takes {their_time:.2f} ms with PyTorch, {own_time:.2f} ms with softlane: {their_time / own_time:.2f}x")
    return apart > 1e-2


if __name__ == "__main__":
    sys.exit(main())
