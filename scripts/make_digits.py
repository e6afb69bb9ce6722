#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes tests/data: images, the true classes, and the logits of a real classifier.

The images are scikit-learn's bundled copy of the UCI handwritten digits (1797 of 8x8 pixels, 10 classes;
source and licence in tests/data/README.md). The logits are those of a multinomial logistic regression. It
is trained on half of the images and then scores all of them, so that the logits are those of a working
classifier: confident on what it has seen, less so, and now and then wrong, on what it has not.

  digits_images.npy   uint8 1797x64, C order: a row of pixels after the other, 0 (paper) to 16 (ink)
  digits_logits.npy   float32 1797x10, C order
  digits_labels.npy   int64 1797

The split is seeded and the solver is Newton's method to convergence, in float64 on one thread: running again
gives identical bytes. Needs Debian's python3-sklearn; nothing else in this repository does.
"""
import argparse
import os
import pathlib

import command_line

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

DATA = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("--out", type=pathlib.Path, default=DATA,
                        help="output directory (default: tests/data)")
    out = parser.parse_args().out
    try:
        import numpy as np
        from sklearn.datasets import load_digits
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        command_line.refuse(f"needs python3-sklearn ({error})")

    digits = load_digits()
    pixels = digits.data / 16.0
    labels = digits.target.astype(np.int64)
    train, held_out = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels, random_state=1)

    model = LogisticRegression(C=10.0, solver="newton-cg", max_iter=1000, tol=1e-7)
    model.fit(pixels[train], labels[train])
    logits = np.ascontiguousarray(model.decision_function(pixels), dtype=np.float32)

    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "digits_images.npy", digits.data.astype(np.uint8))
    np.save(out / "digits_logits.npy", logits)
    np.save(out / "digits_labels.npy", labels)

    right = logits.argmax(axis=1) == labels
    print(f"{logits.shape[0]}x{logits.shape[1]} logits in [{logits.min():.2f}, {logits.max():.2f}]")
    print(f"accuracy: {right[train].mean():.4f} on the {len(train)} images of training, "
          f"{right[held_out].mean():.4f} on the {len(held_out)} held out")


if __name__ == "__main__":
    command_line.run(main)
