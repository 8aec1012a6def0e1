"""Trains the model that `npm start` shows, and writes models/digits/.

A small convnet on the 1,797 handwritten digits (8 x 8 pixels, 0-16) that scikit-learn carries. Everything is seeded.

Versions: keras==3.15.1 jax==0.10.2 scikit-learn==1.9.1 numpy==2.4.6 pillow==13.0.0
Run:      interop/.venv/bin/python interop/train-digits.py
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
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FOLDER = Path(__file__).resolve().parent.parent / "models" / "digits"
SEED = 20
HELD_BACK = 450
SAMPLES_PER_DIGIT = 1


def build():
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    x = layers.Conv2D(24, 3, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.Activation("relu", name="stem_relu")(x)
    shortcut = x
    x = layers.SeparableConv2D(24, 3, padding="same", use_bias=False, name="block_separable")(x)
    x = layers.BatchNormalization(name="block_norm")(x)
    x = layers.Activation("relu", name="block_relu")(x)
    x = layers.Add(name="block_add")([x, shortcut])
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(40, 3, padding="same", activation="relu", name="top")(x)
    x = layers.DepthwiseConv2D(4, activation="relu", name="spread")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    outputs = layers.Dense(10, activation="softmax", name="digit")(x)
    return keras.Model(inputs, outputs, name="digits")


def as_pixels(images):
    """The data's 0-16 as the 0-255 of an image file, which is what the model is trained on."""
    return np.round(images * (255 / 16)).astype("uint8")[..., None]


def main():
    keras.utils.set_random_seed(SEED)
    digits = load_digits()
    x, x_held_back, y, y_held_back = train_test_split(
        as_pixels(digits.images), digits.target, test_size=HELD_BACK, random_state=SEED, stratify=digits.target
    )

    model = build()
    epochs, batch = 60, 32
    steps = epochs * -(-len(x) // batch)
    model.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(3e-3, steps), weight_decay=1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(x.astype("float32"), y, batch_size=batch, epochs=epochs, verbose=0)

    probabilities = model.predict(x_held_back.astype("float32"), verbose=0)
    correct = int((probabilities.argmax(-1) == y_held_back).sum())
    accuracy = correct / HELD_BACK
    print(f"{model.count_params()} parameters, {correct} of {HELD_BACK} held-back images right: {accuracy:.2%}")
    assert accuracy >= 0.975

    (FOLDER / "samples").mkdir(parents=True, exist_ok=True)
    # A schedule and an optimizer's state are of no use to who only predicts, and are three quarters of the file.
    model.compile()
    model.save(FOLDER / "digits.keras")

    samples = []
    for digit in range(10):
        # The first image of its digit in the split, whatever the model makes of it.
        for index in np.flatnonzero(y_held_back == digit)[:SAMPLES_PER_DIGIT]:
            name = f"{digit}-{index:03d}.png"
            Image.fromarray(x_held_back[index, ..., 0]).save(FOLDER / "samples" / name, optimize=True)
            row = [float(f"{value:.9g}") for value in probabilities[index]]
            samples.append({"file": f"samples/{name}", "label": digit, "probabilities": row})

    write_json("labels.json", [str(digit) for digit in range(10)])
    write_json(
        "expected.json",
        {"keras": keras.__version__, "backend": keras.backend.backend(), "heldBack": HELD_BACK, "correct": correct, "samples": samples},
    )
    write_json(
        "held-back.json",
        {
            "shape": list(x_held_back.shape),
            "images": base64.b64encode(x_held_back.tobytes()).decode(),
            "labels": "".join(map(str, y_held_back)),
        },
    )
    print((FOLDER / "digits.keras").stat().st_size, "bytes")


def write_json(name, value):
    text = json.dumps(value, indent=1 if name == "expected.json" else None)
    (FOLDER / name).write_text(text + "\n")


main()
