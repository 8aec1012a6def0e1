"""Trains the model with which examples/transfer-learning.ts begins, and writes models/eight-digits/.

A small convnet that knows the digits 0 to 7 alone: of the 1,797 handwritten digits (8 x 8 pixels, 0-16) that
scikit-learn carries, it has never seen an 8 or a 9. The images from which it is to learn them, and those on which it is
measured, are written beside it; none of them was among those that it was trained on. Everything is seeded.

Versions: keras==3.15.1 jax==0.10.2 scikit-learn==1.9.1 numpy==2.4.6
Run:      interop/.venv/bin/python interop/train-eight-digits.py
"""

import base64
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

FOLDER = Path(__file__).resolve().parent.parent / "models" / "eight-digits"
SEED = 8
KNOWN = 8
NEW_IMAGES = 12  # of each digit that is new, to learn it from
OLD_IMAGES = 4  # of each other digit, so that it is not forgotten
HELD_BACK = 36  # of each digit


def build():
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    for name, filters in (("stem", 12), ("block", 20)):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
        x = layers.BatchNormalization(name=f"{name}_norm")(x)
        x = layers.Activation("relu", name=f"{name}_relu")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(32, 3, padding="same", use_bias=False, name="top")(x)
    x = layers.BatchNormalization(name="top_norm")(x)
    x = layers.Activation("relu", name="top_relu")(x)
    x = layers.Flatten(name="features")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    outputs = layers.Dense(KNOWN, activation="softmax", name="digit")(x)
    return keras.Model(inputs, outputs, name="eight_digits")


def main():
    keras.utils.set_random_seed(SEED)
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype("uint8")[..., None]
    order = np.random.default_rng(SEED).permutation(len(images))
    images, labels = images[order], digits.target[order]

    held_back, learning, rest = [], [], []
    for digit in range(10):
        indices = np.flatnonzero(labels == digit)
        count = NEW_IMAGES if digit >= KNOWN else OLD_IMAGES
        held_back += list(indices[:HELD_BACK])
        learning += list(indices[HELD_BACK : HELD_BACK + count])
        if digit < KNOWN:
            rest += list(indices[HELD_BACK + count :])

    model = build()
    epochs, batch = 60, 32
    steps = epochs * -(-len(rest) // batch)
    model.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(3e-3, steps), weight_decay=1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(images[rest].astype("float32"), labels[rest], batch_size=batch, epochs=epochs, verbose=0)

    known = [index for index in held_back if labels[index] < KNOWN]
    found = model.predict(images[known].astype("float32"), verbose=0).argmax(-1)
    accuracy = float((found == labels[known]).mean())
    print(f"{model.count_params()} parameters, {accuracy:.2%} of {len(known)} held-back images of 0 to 7 right")
    assert accuracy >= 0.97

    FOLDER.mkdir(parents=True, exist_ok=True)
    # The state of the optimizer would be three quarters of the file.
    model.compile()
    model.save(FOLDER / "eight-digits.keras")
    data = {"learning": sample(images, labels, learning), "heldBack": sample(images, labels, held_back)}
    (FOLDER / "images.json").write_text(json.dumps(data) + "\n")
    for file in sorted(FOLDER.iterdir()):
        print(file.name, file.stat().st_size, "bytes")


def sample(images, labels, indices):
    """Images as the bytes of their pixels, row by row, in base64; labels as one digit each."""
    chosen = np.random.default_rng(SEED).permutation(indices)
    return {
        "shape": [len(chosen), 8, 8, 1],
        "images": base64.b64encode(images[chosen].tobytes()).decode(),
        "labels": "".join(map(str, labels[chosen])),
    }


main()
