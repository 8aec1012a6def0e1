"""Trainings of common kinds: what is trained, with which targets, weights and losses."""

import keras
import numpy as np
from fit_recorder import ROWS, classes, record, rng_for, vectors
from keras import layers as L


def dense():
    rng = rng_for("dense")
    x, y = vectors(rng, 6), classes(rng, 3)
    x[np.arange(ROWS), y] += 1.5
    model = keras.Sequential([L.Input((6,)), L.Dense(10, "relu"), L.Dense(3, "softmax")])
    options = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    record("dense", model, x, y, ("Adam", {"learning_rate": 0.02}), options, {"validation_split": 0.2, "epochs": 18})


def conv2d():
    rng = rng_for("conv2d")
    x, y = vectors(rng, 6, 6, 2), classes(rng, 2)
    model = keras.Sequential(
        [
            L.Input((6, 6, 2)),
            L.Conv2D(4, 3, padding="same"),
            L.BatchNormalization(),
            L.ReLU(),
            L.MaxPooling2D(2),
            L.Conv2D(3, 3, activation="tanh"),
            L.Flatten(),
            L.Dense(2, "softmax"),
        ]
    )
    optimizer = ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True})
    options = {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    record("conv2d", model, x, np.eye(2, dtype="float32")[y], optimizer, options)


def lstm():
    rng = rng_for("lstm")
    x = vectors(rng, 5, 3)
    model = keras.Sequential([L.Input((5, 3)), L.LSTM(4), L.Dense(1)])
    y = x.sum(axis=(1, 2))[:, None] * 0.3
    optimizer = ("RMSprop", {"learning_rate": 0.01})
    record("lstm", model, x, y, optimizer, {"loss": "mse", "metrics": ["mae"]})


def frozen():
    rng = rng_for("frozen")
    x, y = vectors(rng, 6, 6, 2), classes(rng, 3)
    base = keras.Sequential(
        [L.Input((6, 6, 2)), L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU(), L.DepthwiseConv2D(3)], name="base"
    )
    base.trainable = False
    inputs = L.Input((6, 6, 2))
    features = L.GlobalAveragePooling2D()(base(inputs))
    outputs = L.Dense(3)(L.BatchNormalization()(features))
    options = {"loss": "sparse_categorical_crossentropy", "metrics": ["sparse_categorical_accuracy"]}
    model = keras.Model(inputs, L.Softmax()(outputs))
    record("frozen", model, x, y, ("Adam", {"learning_rate": 0.05}), options)


def multi():
    rng = rng_for("multi")
    one, two = vectors(rng, 4), vectors(rng, 3)
    first, second = L.Input((4,), name="one"), L.Input((3,), name="two")
    joined = L.Concatenate()([L.Dense(5, "tanh")(first), second])
    left = L.Dense(1, "sigmoid", name="left")(joined)
    right = L.Dense(2, name="right")(joined)
    model = keras.Model([first, second], [left, right])
    y = {"left": (one[:, :1] > 0).astype("float32"), "right": one[:, :2] * two[:, :1]}
    options = {
        "loss": {"left": "binary_crossentropy", "right": "mse"},
        "loss_weights": {"left": 0.3, "right": 2.0},
        "metrics": {"left": ["accuracy"], "right": ["mae"]},
    }
    x = {"one": one, "two": two}
    record("multi", model, x, y, ("Nadam", {"learning_rate": 0.02}), options)


def class_weighted():
    rng = rng_for("class_weighted")
    x, y = vectors(rng, 5), classes(rng, 3)
    model = keras.Sequential([L.Input((5,)), L.Dense(6, "gelu"), L.Dense(3, "softmax")])
    options = {"loss": "sparse_categorical_crossentropy", "weighted_metrics": ["accuracy"]}
    weights = {0: 0.5, 1: 2.0}
    record("class-weighted", model, x, y, ("Adagrad", {"learning_rate": 0.1}), options, {"class_weight": weights})


def sample_weighted():
    rng = rng_for("sample_weighted")
    x = vectors(rng, 5)
    y = (x[:, 0] * x[:, 1] > 0).astype("float32")
    model = keras.Sequential([L.Input((5,)), L.Dense(6, "selu"), L.Dense(1, "sigmoid")])
    options = {"loss": "binary_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["mse"]}
    weights = np.round(rng.uniform(0, 2, size=(ROWS,)), 3).astype("float32")
    optimizer = ("AdamW", {"learning_rate": 0.02, "weight_decay": 0.05})
    record("sample-weighted", model, x, y, optimizer, options, {"sample_weight": weights})


def regularised():
    rng = rng_for("regularised")
    x = vectors(rng, 5)
    regular = keras.regularizers
    model = keras.Sequential(
        [
            L.Input((5,)),
            L.Dense(
                6,
                "elu",
                kernel_regularizer=regular.L1L2(0.01, 0.02),
                bias_regularizer=regular.L2(0.1),
                activity_regularizer=regular.L2(0.001),
                kernel_constraint=keras.constraints.MaxNorm(1.2),
            ),
            L.Dense(2, kernel_regularizer=regular.OrthogonalRegularizer(0.05), use_bias=False),
        ]
    )
    options = {"loss": "huber", "metrics": ["mae"]}
    record("regularised", model, x, x[:, :2] - x[:, 2:4], ("Adamax", {"learning_rate": 0.02}), options)


def embedding():
    rng = rng_for("embedding")
    x = rng.integers(1, 9, size=(ROWS, 6)).astype("int32")
    for row in range(ROWS):
        x[row, rng.integers(2, 7) :] = 0
    y = (x[:, 0] > 4).astype("float32")
    model = keras.Sequential(
        [
            L.Input((6,), dtype="int32"),
            L.Embedding(9, 4, mask_zero=True),
            L.Bidirectional(L.GRU(3)),
            L.Dense(1, "sigmoid"),
        ]
    )
    options = {"loss": "binary_crossentropy", "metrics": ["accuracy"]}
    record("embedding", model, x, y[:, None], ("Adam", {"learning_rate": 0.03}), options)


def attention():
    rng = rng_for("attention")
    x = vectors(rng, 4, 6)
    inputs = L.Input((4, 6))
    # The bias of the keys has no effect, so that its gradient is nothing but rounding, which Adam would blow up.
    attended = L.MultiHeadAttention(2, 3, use_bias=False)(inputs, inputs)
    normal = L.LayerNormalization()(L.Add()([inputs, attended]))
    outputs = L.Dense(1)(L.GlobalAveragePooling1D()(normal))
    model = keras.Model(inputs, outputs)
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 40, alpha=0.1)
    optimizer = ("Adam", {"learning_rate": schedule, "clipnorm": 0.5})
    record("attention", model, x, x[:, 0, :1] * x[:, 1, :1], optimizer, {"loss": "mse", "metrics": ["mae"]})


def separable():
    rng = rng_for("separable")
    x = vectors(rng, 5, 5, 2)
    model = keras.Sequential(
        [
            L.Input((5, 5, 2)),
            L.SeparableConv2D(4, 3, activation="swish"),
            L.GroupNormalization(2),
            L.Conv2DTranspose(2, 3, strides=2),
            L.AveragePooling2D(2),
            L.GlobalMaxPooling2D(),
            L.Dense(1),
        ]
    )
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 10, 0.8)
    optimizer = ("SGD", {"learning_rate": schedule, "momentum": 0.8, "global_clipnorm": 1.0})
    record("separable", model, x, x.mean(axis=(1, 2))[:, :1], optimizer, {"loss": "log_cosh", "metrics": ["mse"]})


def conv1d3d():
    rng = rng_for("conv1d3d")
    sequence, volume = vectors(rng, 7, 2), vectors(rng, 3, 4, 4, 1)
    first, second = L.Input((7, 2)), L.Input((3, 4, 4, 1))
    left = L.GlobalAveragePooling1D()(L.Conv1D(3, 3, dilation_rate=2, activation="relu")(first))
    right = L.Flatten()(L.MaxPooling3D((1, 2, 2))(L.Conv3D(2, 2, padding="same", activation="relu")(second)))
    model = keras.Model([first, second], L.Dense(2)(L.Concatenate()([left, right])))
    optimizer = ("Lamb", {"learning_rate": 0.02})
    y = sequence[:, 0] + volume[:, 0, 0, 0]
    record("conv1d3d", model, [sequence, volume], y, optimizer, {"loss": "mse", "metrics": ["cosine_similarity"]})


def main():
    for make in (
        dense,
        conv2d,
        lstm,
        frozen,
        multi,
        class_weighted,
        sample_weighted,
        regularised,
        embedding,
        attention,
        separable,
        conv1d3d,
    ):
        make()
