"""Trainings of layers of every kind.

What goes into a normalization has no bias: it has no effect, so that its gradient is nothing but rounding, which
adaptive optimizers would blow up.
"""

import keras
import numpy as np
from fit_recorder import ROWS, classes, record, rng_for, vectors
from keras import layers as L

S = keras.optimizers.schedules


def convolutions1d():
    rng = rng_for("convolutions1d")
    x, y = vectors(rng, 9, 3), classes(rng, 3)
    model = keras.Sequential(
        [
            L.Input((9, 3)),
            L.DepthwiseConv1D(3, depth_multiplier=2, activation="relu"),
            L.SeparableConv1D(4, 3, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.Conv1DTranspose(3, 3, strides=2),
            L.Conv1D(3, 2, strides=2, padding="causal"),
            L.PReLU(),
            L.GlobalAveragePooling1D(),
            L.Dense(3, "softmax"),
        ]
    )
    options = {"loss": "categorical_focal_crossentropy", "metrics": ["categorical_accuracy"]}
    record("convolutions1d", model, x, np.eye(3, dtype="float32")[y], ("Adadelta", {"learning_rate": 1.0}), options)


def depthwise():
    rng = rng_for("depthwise")
    x, y = vectors(rng, 7, 6, 2), classes(rng, 2)
    model = keras.Sequential(
        [
            L.Input((7, 6, 2)),
            L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2),
            L.GroupNormalization(2),
            L.ReLU(max_value=6),
            L.Conv2D(4, 2, groups=2, dilation_rate=2, padding="same"),
            L.LayerNormalization(axis=[1, 2, 3]),
            L.LeakyReLU(),
            L.GlobalAveragePooling2D(),
            L.Dense(1, "sigmoid"),
        ]
    )
    options = {"loss": "binary_focal_crossentropy", "metrics": ["AUC", "Precision", "Recall"]}
    optimizer = ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True})
    record("depthwise", model, x, y[:, None].astype("float32"), optimizer, options)


def transposed():
    rng = rng_for("transposed")
    x = vectors(rng, 4, 4, 1)
    model = keras.Sequential(
        [
            L.Input((4, 4, 1)),
            L.Conv2D(3, 2, strides=2, activation="tanh"),
            L.Conv2DTranspose(2, 3, strides=2, padding="same", activation="tanh"),
            L.ZeroPadding2D(1),
            L.Cropping2D(1),
            L.UpSampling2D(2, interpolation="bilinear"),
            L.Conv2DTranspose(1, 2),
            L.AveragePooling2D(2),
        ]
    )
    record("transposed", model, x, x, ("Adam", {"learning_rate": 0.02}), {"loss": "mse", "metrics": ["mae"]})


def volumes():
    rng = rng_for("volumes")
    x = vectors(rng, 4, 4, 4, 1)
    model = keras.Sequential(
        [
            L.Input((4, 4, 4, 1)),
            L.Conv3D(3, 2, strides=2, use_bias=False),
            L.BatchNormalization(),
            L.Activation("elu"),
            L.Conv3DTranspose(2, 2, strides=(1, 2, 1)),
            L.AveragePooling3D(2),
            L.GlobalMaxPooling3D(),
            L.Dense(2),
        ]
    )
    y = np.stack([x.mean(axis=(1, 2, 3, 4)), x.max(axis=(1, 2, 3, 4))], axis=1)
    optimizer = ("Adafactor", {"learning_rate": 0.05, "relative_step": False})
    record("volumes", model, x, y, optimizer, {"loss": "mae", "metrics": ["root_mean_squared_error"]})


def gru():
    rng = rng_for("gru")
    x = vectors(rng, 6, 3)
    model = keras.Sequential(
        [
            L.Input((6, 3)),
            L.GRU(4, return_sequences=True, recurrent_regularizer="l2"),
            L.GRU(3, reset_after=False, go_backwards=True),
            L.Dense(2),
        ]
    )
    optimizer = ("AdamW", {"learning_rate": S.PolynomialDecay(0.03, 20, 0.005, power=1.5, cycle=True)})
    record("gru", model, x, x[:, 0, :2] * x[:, 5, :2], optimizer, {"loss": "huber", "metrics": ["mse"]})


def simple_rnn():
    rng = rng_for("simple_rnn")
    x = vectors(rng, 6, 3)
    for row in range(ROWS):
        x[row, rng.integers(3, 7) :] = 0
    model = keras.Sequential(
        [
            L.Input((6, 3)),
            L.Masking(),
            L.RNN([L.SimpleRNNCell(4), L.SimpleRNNCell(3, activation="relu", bias_initializer="ones")]),
            L.Dense(1, "softplus"),
        ]
    )
    y = np.abs(x.sum(axis=(1, 2)))[:, None]
    optimizer = ("Adagrad", {"learning_rate": 0.05, "initial_accumulator_value": 0.2})
    record("simple-rnn", model, x, y, optimizer, {"loss": "poisson", "metrics": ["mean_squared_logarithmic_error"]})


def bidirectional():
    """Targets for every step. Masked steps have no loss; metrics on JAX, unlike elsewhere, count them all in `fit`."""
    rng = rng_for("bidirectional")
    x = vectors(rng, 5, 3)
    for row in range(ROWS):
        x[row, rng.integers(2, 6) :] = 0
    model = keras.Sequential(
        [
            L.Input((5, 3)),
            L.Masking(),
            L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="concat"),
            L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="ave"),
            L.TimeDistributed(L.Dense(3)),
            L.Activation("softmax"),
        ]
    )
    y = rng.integers(0, 3, size=(ROWS, 5)).astype("int32")
    schedule = S.CosineDecayRestarts(0.03, 12, t_mul=1.5, m_mul=0.8, alpha=0.1)
    optimizer = ("Adam", {"learning_rate": schedule, "amsgrad": True})
    record("bidirectional", model, x, y, optimizer, {"loss": "sparse_categorical_crossentropy"})


def conv_lstm():
    rng = rng_for("conv_lstm")
    x = vectors(rng, 3, 4, 4, 1)
    model = keras.Sequential(
        [
            L.Input((3, 4, 4, 1)),
            L.ConvLSTM2D(2, 2, padding="same", return_sequences=True),
            L.ConvLSTM2D(2, 3),
            L.Flatten(),
            L.Dense(1),
        ]
    )
    optimizer = ("RMSprop", {"learning_rate": 0.01})
    record("conv-lstm", model, x, x.mean(axis=(1, 2, 3)), optimizer, {"loss": "mse", "metrics": ["mape"]})


def transformer():
    """Attention under a causal mask and that of an embedding."""
    rng = rng_for("transformer")
    x = rng.integers(1, 8, size=(ROWS, 6)).astype("int32")
    for row in range(ROWS):
        x[row, rng.integers(3, 7) :] = 0
    inputs = L.Input((6,), dtype="int32")
    embedded = L.Embedding(8, 6, mask_zero=True)(inputs)
    # The bias of the keys has no effect, so that its gradient is nothing but rounding, which Adam would blow up.
    attended = L.MultiHeadAttention(2, 3, use_bias=False)(embedded, embedded, use_causal_mask=True)
    joined = L.LayerNormalization()(attended)
    wide = L.Dense(8, "gelu")(joined)
    outputs = L.Dense(8)(L.LayerNormalization()(L.Add()([joined, L.Dense(6)(wide)])))
    model = keras.Model(inputs, L.Activation("softmax")(outputs))
    y = x
    optimizer = ("AdamW", {"learning_rate": 0.005, "global_clipnorm": 0.5})
    record("transformer", model, x, y, optimizer, {"loss": "sparse_categorical_crossentropy"})


def masked_steps(rng, length):
    """Numbers of words, of which the last few of each row are padding."""
    x = rng.integers(1, 8, size=(ROWS, length)).astype("int32")
    for row in range(ROWS):
        x[row, rng.integers(3, length + 1) :] = 0
    return x


def residual_attention():
    """Attention takes the masks of its inputs, so that neither the sum nor the mean over the steps sees one."""
    rng = rng_for("residual-attention")
    x = masked_steps(rng, 6)
    inputs = L.Input((6,), dtype="int32")
    embedded = L.Embedding(8, 6, mask_zero=True)(inputs)
    attended = L.MultiHeadAttention(2, 3, use_bias=False)(embedded, embedded)
    pooled = L.GlobalAveragePooling1D()(L.Add()([embedded, attended]))
    model = keras.Model(inputs, L.Dense(3, "softmax")(pooled))
    optimizer = ("Adam", {"learning_rate": 0.01})
    y = (x.sum(axis=1) % 3).astype("int32")
    record("residual-attention", model, x, y, optimizer, {"loss": "sparse_categorical_crossentropy"})


def residual_tags():
    """A loss for each step finds no mask behind a sum, one of whose inputs has lost its own; the recurrent layer does."""
    rng = rng_for("residual-tags")
    x = masked_steps(rng, 6)
    inputs = L.Input((6,), dtype="int32")
    embedded = L.Embedding(8, 6, mask_zero=True)(inputs)
    first = L.Add()([embedded, L.MultiHeadAttention(2, 3, use_bias=False)(embedded, embedded)])
    # Neither the second attention nor the product sees a mask, the recurrent layer has the one of the building.
    second = L.MultiHeadAttention(1, 3, use_bias=False)(L.LayerNormalization()(first), embedded)
    joined = L.Multiply()([L.GRU(6, return_sequences=True)(second), embedded])
    model = keras.Model(inputs, [L.Dense(8, "softmax")(first), L.Dense(1)(joined)])
    y = [x, (x % 3).astype("float32")[..., None]]
    record("residual-tags", model, x, y, ("Adam", {"learning_rate": 0.01}), {"loss": ["sparse_categorical_crossentropy", "mse"]})


def taken_masks():
    """Who comes before attention sees the masks: at a greater depth, in and around a block that is a model."""
    rng = rng_for("taken-masks")
    x = masked_steps(rng, 7)
    inner = L.Input((7, 4))
    same = L.Activation("linear")(inner)
    block = keras.Model(inner, L.MultiHeadAttention(2, 2, use_bias=False)(same, same), name="block")
    inputs = L.Input((7,), dtype="int32")
    embedded = L.Embedding(8, 4, mask_zero=True)(inputs)
    # Both come before the block: this mean is deeper, the recurrent layer is as deep and listed first.
    early = L.GlobalAveragePooling1D()(embedded)
    early = L.Dense(4, "tanh")(L.Dense(4)(L.Dense(4)(early)))
    read = L.SimpleRNN(4)(embedded)
    summed = L.Add()([embedded, block(L.Dropout(0.0)(embedded))])
    late = L.GlobalAveragePooling1D()(summed)
    last = L.GlobalAveragePooling1D()(embedded)
    joined = L.Concatenate()([early, read, late, last])
    model = keras.Model(inputs, L.Dense(1)(joined))
    y = (x == 3).mean(axis=1, keepdims=True).astype("float32")
    record("taken-masks", model, x, y, ("RMSprop", {"learning_rate": 0.01}), {"loss": "mse"})


def queries():
    """Groups of queries, and attention without projections, both with scales."""
    rng = rng_for("queries")
    x, memory = vectors(rng, 4, 6), vectors(rng, 3, 6)
    first, second = L.Input((4, 6)), L.Input((3, 6))
    grouped = L.GroupQueryAttention(3, 4, 2, use_bias=False)(first, second)
    normal = L.RMSNormalization()(L.Add()([first, grouped]))
    dotted = L.Attention(use_scale=True)([normal, second])
    added = L.AdditiveAttention()([dotted, second])
    pooled = L.GlobalMaxPooling1D()(L.Concatenate()([dotted, added]))
    model = keras.Model([first, second], L.Dense(2)(pooled))
    y = x[:, 0, :2] + memory[:, 1, 2:4]
    optimizer = ("Adamax", {"learning_rate": 0.02, "clipnorm": 1.0})
    record("queries", model, [x, memory], y, optimizer, {"loss": "mse", "metrics": ["cosine_similarity"]})


def spectral():
    rng = rng_for("spectral")
    x = vectors(rng, 5, 5, 1)
    model = keras.Sequential(
        [
            L.Input((5, 5, 1)),
            L.SpectralNormalization(L.Conv2D(3, 3, activation="tanh"), power_iterations=2),
            L.Flatten(),
            L.SpectralNormalization(L.Dense(4)),
            L.UnitNormalization(),
            L.Dense(1),
        ]
    )
    y = np.sign(x.sum(axis=(1, 2)))
    options = {"loss": "squared_hinge", "metrics": ["hinge"]}
    record("spectral", model, x, y, ("SGD", {"learning_rate": 0.1}), options)


def einsum():
    """Layers with equations and lookups, shared weights, a constraint on each weight, and a penalty on outputs."""
    rng = rng_for("einsum")
    x = vectors(rng, 3, 4)
    constraints = keras.constraints
    inputs = L.Input((3, 4))
    shared = L.Dense(4, "mish", kernel_constraint=constraints.UnitNorm(), bias_constraint="non_neg")
    mixed = L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e", activation="tanh")(shared(shared(inputs)))
    flat = L.Reshape((3, 6))(mixed)
    active = L.ActivityRegularization(l1=0.01, l2=0.01)(L.Permute((2, 1))(flat))
    dotted = L.Dot(axes=(2, 1))([active, flat])
    limited = constraints.MinMaxNorm(0.5, 1.0, rate=0.9)
    outputs = L.Dense(1, kernel_constraint=limited)(L.Flatten()(dotted))
    model = keras.Model(inputs, outputs)
    y = x[:, 0, :1] * x[:, 1, :1]
    optimizer = ("SGD", {"learning_rate": 0.02, "momentum": 0.9})
    record("einsum", model, x, y, optimizer, {"loss": "log_cosh", "metrics": ["mae"]})


def ctc():
    rng = rng_for("ctc")
    x = vectors(rng, 8, 3)
    y = rng.integers(1, 4, size=(ROWS, 3)).astype("int32")
    model = keras.Sequential([L.Input((8, 3)), L.Conv1D(6, 3, padding="same", activation="relu"), L.Dense(4)])
    record("ctc", model, x, y, ("Adam", {"learning_rate": 0.01}), {"loss": "ctc"})


def main():
    for make in (
        convolutions1d,
        depthwise,
        transposed,
        volumes,
        gru,
        simple_rnn,
        bidirectional,
        conv_lstm,
        transformer,
        residual_attention,
        residual_tags,
        taken_masks,
        queries,
        spectral,
        einsum,
        ctc,
    ):
        make()
