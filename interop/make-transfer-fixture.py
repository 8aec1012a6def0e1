"""Writes test/fixtures/transfer/two-stages.json: transfer learning in two stages, with two optimizers of Keras by hand.

First the head alone is trained, on a frozen base. Then the last convolution of the base and its batch normalisation are
thawed: the head goes on with the optimizer that it has, moments and all, and what was thawed gets a second one, new, with
a tenth of its learning rate. Hornet does the same with one optimizer and a multiplier.

Versions: keras==3.15.1 jax==0.10.2 numpy==2.4.6
Run:      interop/.venv/bin/python interop/make-transfer-fixture.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import keras
import numpy as np
from keras import layers

FILE = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "transfer" / "two-stages.json"
STEPS = 6
RATE, MULTIPLIER = 0.01, 0.1


def build():
    inputs = keras.Input((6, 6, 2), name="image")
    x = inputs
    for index in (1, 2):
        x = layers.Conv2D(3, 3, padding="same", use_bias=False, name=f"conv_{index}")(x)
        x = layers.BatchNormalization(name=f"norm_{index}")(x)
        x = layers.Activation("relu", name=f"relu_{index}")(x)
    base = keras.Model(inputs, layers.GlobalAveragePooling2D(name="pool")(x), name="base")
    start = keras.Input((6, 6, 2), name="start")
    outputs = layers.Dense(3, activation="softmax", name="head")(base(start))
    return keras.Model(start, outputs, name="transfer"), base


def numbers(array):
    return [float(f"{value:.9g}") for value in np.asarray(array, "float32").ravel()]


def main():
    keras.utils.set_random_seed(5)
    random = np.random.default_rng(5)
    model, base = build()
    # Moving statistics as of a base that was trained, so that it matters which ones are used.
    for weight in base.weights:
        if "moving" in weight.path:
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
    x = random.normal(size=(8, 6, 6, 2)).astype("float32")
    y = np.eye(3, dtype="float32")[random.integers(0, 3, 8)]
    initial = [numbers(weight) for weight in model.weights]
    loss = keras.losses.CategoricalCrossentropy()

    def step(optimizers):
        variables, others = model.trainable_variables, model.non_trainable_variables

        def forward(values):
            predicted, kept = model.stateless_call(values, [other.value for other in others], x, training=True)
            return loss(y, predicted), kept

        (value, kept), gradients = jax.value_and_grad(forward, has_aux=True)([each.value for each in variables])
        for other, new in zip(others, kept):
            other.assign(new)
        for optimizer, names in optimizers:
            own = [(gradient, each) for gradient, each in zip(gradients, variables) if each.path.split("/")[0] in names]
            optimizer.apply([gradient for gradient, _ in own], [each for _, each in own])
        return float(value)

    base.trainable = False
    head = keras.optimizers.Adam(RATE)
    losses = [step([(head, ["head"])]) for _ in range(STEPS)]
    top = ["conv_2", "norm_2"]
    for name in top:
        base.get_layer(name).trainable = True
    thawed = keras.optimizers.Adam(RATE * MULTIPLIER)
    losses += [step([(head, ["head"]), (thawed, top)]) for _ in range(STEPS)]

    FILE.parent.mkdir(exist_ok=True)
    assert int(head.iterations) == 2 * STEPS and int(thawed.iterations) == STEPS and len(thawed.variables) == 8
    fixture = {
        "keras": keras.__version__,
        "topology": json.loads(model.to_json()),
        "rate": RATE,
        "multiplier": MULTIPLIER,
        "stepsOfEachStage": STEPS,
        "x": {"shape": x.shape, "data": numbers(x)},
        "y": {"shape": y.shape, "data": numbers(y)},
        "initial": initial,
        "losses": losses,
        "final": [numbers(weight) for weight in model.weights],
    }
    FILE.write_text(json.dumps(fixture) + "\n")
    print(losses, FILE.stat().st_size)


main()
