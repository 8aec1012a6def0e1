"""Writes models that nobody has seen before: random layers in a random order, in every format that Keras has.

    make-random-models.py FOLDER SEED COUNT

For each index: INDEX.keras, INDEX.h5, INDEX.weights.h5, INDEX.model.json, and INDEX.expected.json with inputs and what
Keras predicts for them: the layout that `npm run zoo` reads.

Versions: keras==3.15.1 jax==0.10.2 numpy==2.4.6
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import layers

ACTIVATIONS = ["relu", "tanh", "sigmoid", "elu", "gelu", "swish", "softplus", "selu", "linear", "hard_sigmoid", "relu6", "mish"]


class Dice:
    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def of(self, options):
        return options[int(self.generator.integers(len(options)))]

    def between(self, low, high):
        return int(self.generator.integers(low, high + 1))


def image_layer(dice, x):
    """One layer for a tensor of rank 4; None where the image has become too small for it."""
    height, width, channels = x.shape[1:]
    small = min(height, width)
    padding = dice.of(["same", "valid"])
    kernel = dice.of([1, 2, 3, (3, 1), (2, 3)])
    if padding == "valid" and small < 3:
        padding = "same"
    activation = dice.of(ACTIVATIONS)
    strides = dice.of([1, 1, 2])
    dilation = dice.of([1, 1, 2]) if strides == 1 and (padding == "same" or small > 5) else 1
    common = dict(padding=padding, activation=activation, use_bias=dice.of([True, False]))
    filters = dice.of([1, 4, 6, 9])
    groups = dice.of([group for group in (1, 2, 3) if filters % group == 0 and channels % group == 0])
    return dice.of(
        [
            lambda: layers.Conv2D(filters, kernel, strides, groups=groups, dilation_rate=dilation, **common),
            lambda: layers.DepthwiseConv2D(dice.of([2, 3]), strides, depth_multiplier=dice.of([1, 2]), **common),
            lambda: layers.SeparableConv2D(filters, dice.of([2, 3]), strides, **common),
            lambda: layers.Conv2DTranspose(filters, dice.of([2, 3]), dice.of([1, 2]), **common),
            lambda: layers.MaxPooling2D(dice.of([2, (1, 2)]), padding=padding),
            lambda: layers.AveragePooling2D(2, strides=dice.of([1, 2]), padding=padding),
            lambda: layers.BatchNormalization(epsilon=dice.of([1e-3, 1e-5]), scale=dice.of([True, False])),
            lambda: layers.LayerNormalization(axis=dice.of([-1, [1, 2, 3]])),
            lambda: layers.ZeroPadding2D(dice.of([1, (0, 2), ((1, 0), (0, 1))])),
            lambda: layers.UpSampling2D(2, interpolation=dice.of(["nearest", "bilinear"])),
            lambda: layers.PReLU(shared_axes=[1, 2]),
            lambda: layers.Permute(dice.of([(2, 1, 3), (1, 2, 3)])),
            lambda: layers.Rescaling(dice.of([0.5, 2.0]), offset=dice.of([0.0, -1.0])),
        ]
    )()


def sequence_layer(dice, x):
    """One layer for a tensor of rank 3 that keeps the rank."""
    units = dice.of([2, 3, 5])
    recurrent = dice.of([layers.LSTM, layers.GRU, layers.SimpleRNN])
    return dice.of(
        [
            lambda: recurrent(units, return_sequences=True, go_backwards=dice.of([True, False])),
            lambda: layers.Bidirectional(recurrent(units, return_sequences=True), merge_mode=dice.of(["concat", "sum", "ave"])),
            lambda: layers.Conv1D(units, dice.of([2, 3]), padding=dice.of(["same", "causal"]), activation=dice.of(ACTIVATIONS)),
            lambda: layers.TimeDistributed(layers.Dense(units, activation=dice.of(ACTIVATIONS))),
            lambda: layers.Dense(units, activation=dice.of(ACTIVATIONS)),
            lambda: layers.LayerNormalization(),
            lambda: layers.MaxPooling1D(2, padding="same"),
        ]
    )()


def build(dice):
    if dice.of([True, True, False]):
        inputs = keras.Input((dice.between(5, 11), dice.between(5, 11), dice.between(1, 4)))
        x = inputs
        for _ in range(dice.between(2, 6)):
            y = image_layer(dice, x)(x)
            if np.prod(y.shape[1:]) > 20000:
                continue
            x = layers.Add()([x, y]) if y.shape == x.shape and dice.of([True, False]) else y
        x = dice.of([layers.Flatten, layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D])()(x)
    else:
        inputs = keras.Input((dice.between(3, 8), dice.between(2, 5)))
        x = inputs
        for _ in range(dice.between(1, 4)):
            x = sequence_layer(dice, x)(x)
        x = dice.of([layers.Flatten(), layers.LSTM(3), layers.GRU(4, reset_after=dice.of([True, False]))])(x)
    for _ in range(dice.between(0, 2)):
        x = layers.Dense(dice.between(1, 8), activation=dice.of(ACTIVATIONS))(x)
    return keras.Model(inputs, layers.Dense(dice.between(2, 5), activation=dice.of(["softmax", "linear", "tanh"]))(x))


def main(folder, seed, count):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        dice = Dice([seed, index])
        keras.utils.set_random_seed(seed + index)
        keras.backend.clear_session()
        model = build(dice)
        random = [dice.generator.normal(0, 0.3, variable.shape) for variable in model.weights]
        positive = [np.abs(value) + 0.2 if "variance" in variable.path else value for value, variable in zip(random, model.weights)]
        model.set_weights(positive)
        inputs = dice.generator.normal(0, 1, (dice.between(1, 3), *model.input_shape[1:])).astype("float32")
        outputs = np.asarray(model(inputs))
        model.save(folder / f"{index}.keras")
        model.save(folder / f"{index}.h5")
        model.save_weights(folder / f"{index}.weights.h5")
        (folder / f"{index}.model.json").write_text(model.to_json())
        answer = {key: [as_json(value)] for key, value in (("inputs", inputs), ("outputs", outputs))}
        (folder / f"{index}.expected.json").write_text(json.dumps(answer))


def as_json(array):
    return {"shape": list(array.shape), "dtype": "float32", "data": [float(value) for value in array.ravel()]}


main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
