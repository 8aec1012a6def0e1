"""Writes test/fixtures/layers/main: what Keras computes with single layers of the common families.

Run from the repository root:  interop/.venv/bin/python interop/make-layer-fixtures-main.py
Pinned: the versions of requirements.txt (keras 3.15.1, jax 0.10.2). Seeded; a second run writes the same bytes.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from layer_cases import array, case, saved_weights, write

assert keras.__version__ == "3.15.1", keras.__version__

L = keras.layers
I = keras.initializers
FIRST = "channels_first"
PART = "main"


class Cases:
    """Cases of one family, to be written to one file."""

    def __init__(self, family, seed):
        self.family = family
        self.rng = np.random.default_rng(seed)
        self.cases = []

    def normal(self, *shape):
        return np.round(self.rng.normal(size=shape), 2).astype("float32")

    def add(self, name, layer, *inputs, unknown=None, masks=None, kwargs=None, inferable=True):
        """One call of a layer.

        `unknown` are input shapes with None whose output shapes are kept as well. Where Keras infers less than is
        known, or a wrong shape, `inferable` is False and the shape of the real output stands for it.
        """
        several = list(inputs) if len(inputs) > 1 else inputs[0]
        entry = case(name, layer, several, masks, kwargs, self.rng)
        if not inferable:
            entry["output_shapes"] = [[None, *y["shape"][1:]] for y in entry["outputs"]]
        entry["supports_masking"] = bool(layer.supports_masking)
        if layer.trainable:
            for variable, kept in zip(layer.weights, entry["variables"]):
                kept["trainable"] = bool(variable.trainable)
        if unknown is not None:
            symbols = [keras.KerasTensor(shape, dtype=str(x.dtype)) for shape, x in zip(unknown, inputs)]
            outputs = keras.tree.flatten(layer(symbols if len(symbols) > 1 else symbols[0]))
            entry["unknown"] = {
                "inputs": [list(shape) for shape in unknown],
                "outputs": [list(y.shape) for y in outputs],
            }
        if kwargs is not None and kwargs.get("training"):
            entry["updated"] = saved_weights(layer)
        self.cases.append(entry)

    def write(self):
        write(PART, self.family, self.cases)
        print(f"{self.family}: {len(self.cases)} cases")


def convolutional():
    c = Cases("convolutional", 1)
    for rank, shape in ((1, (7,)), (2, (6, 5)), (3, (4, 5, 3))):
        conv, transpose = getattr(L, f"Conv{rank}D"), getattr(L, f"Conv{rank}DTranspose")
        x = c.normal(2, *shape, 4)
        small = c.normal(1, *[3, 4, 2][:rank], 2)
        c.add(f"Conv{rank}D valid", conv(3, 2, name="c"), x, unknown=[(None,) * (rank + 1) + (4,)])
        c.add(f"Conv{rank}D same, strides, relu", conv(3, 3, strides=2, padding="same", activation="relu"), x)
        c.add(f"Conv{rank}D dilated", conv(2, 2, dilation_rate=2, use_bias=False), x)
        c.add(f"Conv{rank}D dilated same", conv(2, 2, dilation_rate=2, padding="same"), x)
        c.add(f"Conv{rank}D groups", conv(6, 2, groups=2, activation="tanh"), x)
        c.add(f"Conv{rank}D channels first", conv(3, 2, data_format=FIRST, padding="same"), np.moveaxis(x, -1, 1))
        c.add(f"Conv{rank}DTranspose valid", transpose(3, 3, strides=2), small, unknown=[(None,) * (rank + 1) + (2,)])
        c.add(f"Conv{rank}DTranspose same", transpose(3, 3, strides=2, padding="same"), small)
        c.add(f"Conv{rank}DTranspose same, stride 3", transpose(2, 2, strides=3, padding="same"), small)
        c.add(f"Conv{rank}DTranspose kernel below stride", transpose(2, 2, strides=3), small)
        c.add(f"Conv{rank}DTranspose output padding", transpose(2, 3, strides=2, output_padding=1), small)
        c.add(
            f"Conv{rank}DTranspose same, output padding",
            transpose(2, 3, strides=3, padding="same", output_padding=2, activation="sigmoid"),
            small,
        )
        c.add(f"Conv{rank}DTranspose dilated", transpose(2, 2, dilation_rate=2, use_bias=False), small)
        c.add(
            f"Conv{rank}DTranspose channels first",
            transpose(2, 2, strides=2, padding="same", data_format=FIRST),
            np.moveaxis(small, -1, 1),
        )
    c.add("Conv1D causal", L.Conv1D(2, 3, padding="causal"), c.normal(2, 6, 3))
    c.add("Conv1D causal dilated", L.Conv1D(2, 2, padding="causal", dilation_rate=3), c.normal(2, 8, 2))
    c.add(
        "Conv1D causal channels first",
        L.Conv1D(2, 3, padding="causal", strides=2, data_format=FIRST),
        c.normal(2, 3, 6),
    )
    c.add("Conv2D uneven", L.Conv2D(2, (3, 2), strides=(1, 2), padding="same"), c.normal(1, 5, 6, 2))
    c.add(
        "Conv2D of integers",
        L.Conv2D(2, 2, kernel_regularizer="l2", bias_constraint="non_neg", kernel_initializer="he_normal"),
        c.rng.integers(0, 9, size=(1, 4, 4, 1)).astype("int32"),
    )
    for rank, shape in ((1, (7,)), (2, (6, 5))):
        depthwise, separable = getattr(L, f"DepthwiseConv{rank}D"), getattr(L, f"SeparableConv{rank}D")
        x = c.normal(2, *shape, 3)
        first = np.moveaxis(x, -1, 1)
        c.add(f"DepthwiseConv{rank}D valid", depthwise(3), x, unknown=[(None,) * (rank + 1) + (3,)])
        c.add(
            f"DepthwiseConv{rank}D multiplier",
            depthwise(3, strides=2, padding="same", depth_multiplier=2, activation="relu"),
            x,
        )
        c.add(f"DepthwiseConv{rank}D dilated", depthwise(2, dilation_rate=2, use_bias=False), x)
        c.add(f"DepthwiseConv{rank}D channels first", depthwise(2, depth_multiplier=2, data_format=FIRST), first)
        c.add(f"SeparableConv{rank}D valid", separable(4, 3), x)
        c.add(
            f"SeparableConv{rank}D multiplier",
            separable(2, 3, strides=2, padding="same", depth_multiplier=2, activation="relu"),
            x,
        )
        c.add(f"SeparableConv{rank}D dilated", separable(2, 2, dilation_rate=2, use_bias=False), x)
        c.add(f"SeparableConv{rank}D channels first", separable(2, 2, padding="same", data_format=FIRST), first)
    c.write()


def pooling():
    c = Cases("pooling", 2)
    for rank, shape in ((1, (7,)), (2, (5, 6)), (3, (4, 5, 3))):
        x = c.normal(2, *shape, 2)
        first = np.moveaxis(x, -1, 1)
        open_shape = [(None,) * (rank + 1) + (2,)]
        for kind in ("Max", "Average"):
            pool = getattr(L, f"{kind}Pooling{rank}D")
            name = f"{kind}Pooling{rank}D"
            c.add(f"{name} valid", pool(2), x, unknown=open_shape)
            c.add(f"{name} same", pool(3, strides=2, padding="same"), x)
            c.add(f"{name} channels first", pool(2, strides=1, padding="same", data_format=FIRST), first)
            pool = getattr(L, f"Global{kind}Pooling{rank}D")
            name = f"Global{kind}Pooling{rank}D"
            c.add(name, pool(), x, unknown=open_shape)
            c.add(f"{name} keepdims", pool(keepdims=True), x)
            c.add(f"{name} channels first", pool(data_format=FIRST, keepdims=True), first)
            pool = getattr(L, f"Adaptive{kind}Pooling{rank}D")
            name = f"Adaptive{kind}Pooling{rank}D"
            c.add(name, pool(3), x)
            c.add(f"{name} to 2", pool(2), x)
            c.add(f"{name} channels first", pool(1, data_format=FIRST), first)
    x = c.normal(2, 4, 3)
    mask = np.array([[True, True, False, True], [False, True, False, False]])
    c.add("GlobalAveragePooling1D mask", L.GlobalAveragePooling1D(), x, masks=[mask])
    c.add("GlobalAveragePooling1D mask argument", L.GlobalAveragePooling1D(keepdims=True), x, kwargs={"mask": mask})
    c.add(
        "GlobalAveragePooling1D mask channels first",
        L.GlobalAveragePooling1D(data_format=FIRST),
        np.moveaxis(x, -1, 1),
        masks=[mask],
    )
    c.add("GlobalMaxPooling1D mask", L.GlobalMaxPooling1D(), x, masks=[mask])
    c.add("MaxPooling2D uneven", L.MaxPooling2D((3, 2), strides=(2, 1)), c.normal(1, 6, 4, 2))
    c.write()


def normalization():
    c = Cases("normalization", 3)
    x = c.normal(2, 3, 4, 6)
    mask = np.array([[True, False, True]] * 2)
    c.add("BatchNormalization", L.BatchNormalization(), x, unknown=[(None, None, None, 6)])
    c.add("BatchNormalization axis 1", L.BatchNormalization(axis=1, epsilon=0.1), x)
    c.add("BatchNormalization without scale", L.BatchNormalization(scale=False), x)
    c.add("BatchNormalization without center", L.BatchNormalization(center=False, momentum=0.5), x)
    c.add("BatchNormalization bare", L.BatchNormalization(center=False, scale=False), c.normal(3, 4))
    c.add("BatchNormalization mask", L.BatchNormalization(), c.normal(2, 3, 4), masks=[mask])
    c.add(
        "BatchNormalization renorm",
        L.BatchNormalization(renorm=True, renorm_clipping={"rmax": 3.0, "rmin": 0.3, "dmax": 5.0}),
        c.normal(3, 4),
    )
    for name, layer, data, masks in (
        ("", L.BatchNormalization(momentum=0.75), x, None),
        (" axis 1", L.BatchNormalization(axis=1, scale=False, epsilon=0.1), x, None),
        (" mask", L.BatchNormalization(momentum=0.5), c.normal(2, 3, 4), [mask]),
        (" renorm", L.BatchNormalization(renorm=True, momentum=0.8, renorm_momentum=0.6), c.normal(5, 3), None),
        (
            " renorm clipped",
            L.BatchNormalization(renorm=True, renorm_clipping={"rmax": 1.1, "rmin": 0.9, "dmax": 0.2}, center=False),
            c.normal(5, 3),
            None,
        ),
        (" frozen", L.BatchNormalization(trainable=False), c.normal(5, 3), None),
    ):
        c.add(f"BatchNormalization training{name}", layer, data, masks=masks, kwargs={"training": True})
    c.add("LayerNormalization", L.LayerNormalization(), x)
    c.add("LayerNormalization axes", L.LayerNormalization(axis=[1, 2], epsilon=0.01), x)
    c.add("LayerNormalization axes from the end", L.LayerNormalization(axis=[-1, -2]), x)
    c.add("LayerNormalization axis 1", L.LayerNormalization(axis=1, center=False), x)
    c.add("LayerNormalization without scale", L.LayerNormalization(scale=False), x)
    c.add("LayerNormalization rms scaling", L.LayerNormalization(rms_scaling=True), x)
    c.add("LayerNormalization rms scaling axes", L.LayerNormalization(rms_scaling=True, axis=[1, 3]), x)
    c.add("LayerNormalization mask", L.LayerNormalization(), c.normal(2, 3, 4), masks=[mask])
    c.add("GroupNormalization", L.GroupNormalization(groups=3), x)
    c.add("GroupNormalization axis 1", L.GroupNormalization(groups=3, axis=1, scale=False), x)
    c.add("GroupNormalization axis -2", L.GroupNormalization(groups=2, axis=-2, center=False), x)
    c.add("GroupNormalization instances", L.GroupNormalization(groups=-1), x)
    c.add("GroupNormalization of vectors", L.GroupNormalization(groups=2, epsilon=0.1), c.normal(2, 8))
    c.add("RMSNormalization", L.RMSNormalization(), x)
    c.add("RMSNormalization axes", L.RMSNormalization(axis=[2, 3], epsilon=0.01), x)
    c.add("UnitNormalization", L.UnitNormalization(), x)
    c.add("UnitNormalization axes", L.UnitNormalization(axis=[1, 2]), x, masks=[mask])
    zeros = c.normal(2, 3)
    zeros[0] = 0
    c.add("UnitNormalization of zeros", L.UnitNormalization(axis=1), zeros)
    c.add("SpectralNormalization Dense", L.SpectralNormalization(L.Dense(3, name="inner"), power_iterations=2), c.normal(2, 4))
    c.add(
        "SpectralNormalization Conv2D",
        L.SpectralNormalization(L.Conv2D(2, 2, name="inner", activation="relu")),
        c.normal(1, 4, 4, 2),
    )
    c.add(
        "SpectralNormalization Embedding",
        L.SpectralNormalization(L.Embedding(5, 3, name="inner")),
        np.array([[0, 4, 2]], "int32"),
    )
    c.write()


def merging():
    c = Cases("merging", 4)
    a, b, d = c.normal(2, 3, 4), c.normal(2, 3, 4), c.normal(2, 3, 4)
    vector = c.normal(2, 4)
    row = c.normal(2, 1, 4)
    masks = [np.array([[True, True, False], [False, True, False]]), np.array([[True, False, False], [True, True, False]])]
    third = np.array([[False, True, False], [True, False, True]])
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        merge = getattr(L, name)
        c.add(f"{name} of two", merge(), a, b, unknown=[(None, None, 4), (None, None, 4)])
        c.add(f"{name} broadcast", merge(), a, row)
        c.add(f"{name} of other rank", merge(), a, vector)
        c.add(f"{name} masks", merge(), a, b, masks=masks)
        c.add(f"{name} one mask", merge(), a, b, masks=[masks[0], None])
        c.add(f"{name} other mask", merge(), a, b, masks=[None, masks[1]])
        if name != "Subtract":
            c.add(f"{name} of three", merge(), a, b, d)
            c.add(f"{name} three masks", merge(), a, b, d, masks=[*masks, third])
            c.add(f"{name} three, two masks", merge(), a, b, d, masks=[masks[0], None, third])
    c.add("Add of integers", L.Add(), np.arange(4, dtype="int32").reshape(2, 2), np.ones((2, 2), "int32"))
    c.add("Concatenate", L.Concatenate(), a, c.normal(2, 3, 2), unknown=[(None, None, 4), (None, None, 2)])
    c.add("Concatenate axis 1", L.Concatenate(axis=1), a, c.normal(2, 2, 4), unknown=[(None, 3, 4), (None, None, 4)])
    c.add("Concatenate three", L.Concatenate(axis=-2), a, b, c.normal(2, 1, 4))
    c.add("Concatenate masks", L.Concatenate(), a, b, masks=masks)
    c.add("Concatenate axis 1 masks", L.Concatenate(axis=1), a, b, masks=masks)
    c.add("Concatenate one mask", L.Concatenate(axis=1), a, b, masks=[None, masks[1]])
    c.add("Dot of vectors", L.Dot(1), vector, c.normal(2, 4))
    c.add("Dot normalized", L.Dot(-1, normalize=True), vector, c.normal(2, 4))
    c.add("Dot of matrices", L.Dot(2), a, b)
    c.add("Dot of two axes", L.Dot((2, 1)), a, c.normal(2, 4, 5))
    c.add("Dot of axis 1", L.Dot((1, 1), normalize=True), a, c.normal(2, 3, 2))
    c.add("Dot of matrix and vector", L.Dot((2, 1)), a, vector)
    c.add("Dot of vector and matrix", L.Dot((1, 2)), vector, a)
    c.add("Dot of higher rank", L.Dot((1, 2)), c.normal(2, 3, 2, 2), c.normal(2, 4, 3), masks=None)
    c.add("Dot masks", L.Dot(2), a, b, masks=masks)
    c.write()


def reshaping():
    c = Cases("reshaping", 5)
    x = c.normal(2, 3, 4)
    c.add("Flatten", L.Flatten(), c.normal(2, 2, 3, 2), unknown=[(None, None, 3, 2)])
    c.add("Flatten channels first", L.Flatten(data_format=FIRST), c.normal(2, 2, 3, 2))
    c.add("Flatten of scalars", L.Flatten(), c.normal(3))
    c.add("Flatten of integers", L.Flatten(), np.arange(8, dtype="int32").reshape(2, 2, 2))
    c.add("Flatten mask", L.Flatten(), x, masks=[np.array([[True, False, True]] * 2)])
    c.add("Reshape", L.Reshape((4, 3)), x)
    c.add("Reshape open", L.Reshape((-1, 2)), x, unknown=[(None, None, 4)])
    c.add("Reshape open last", L.Reshape((2, 3, -1)), x)
    c.add("Reshape to a scalar", L.Reshape(()), c.normal(2, 1))
    c.add("Permute", L.Permute((2, 1)), x, unknown=[(None, None, 4)])
    c.add("Permute three", L.Permute((3, 1, 2)), c.normal(2, 2, 3, 4))
    c.add("RepeatVector", L.RepeatVector(3), c.normal(2, 4))
    for rank, shape in ((1, (4,)), (2, (4, 3)), (3, (3, 4, 3))):
        x = c.normal(1, *shape, 2)
        first = np.moveaxis(x, -1, 1)
        padding, cropping, up = (getattr(L, f"{name}{rank}D") for name in ("ZeroPadding", "Cropping", "UpSampling"))
        open_shape = [(None,) * (rank + 1) + (2,)]
        pairs = ((1, 2), (0, 1), (2, 0))[:rank]
        cuts = ((1, 0), (0, 2), (1, 1))[:rank]
        c.add(f"ZeroPadding{rank}D", padding(), x, unknown=open_shape)
        c.add(f"ZeroPadding{rank}D pairs", padding(pairs[0] if rank == 1 else pairs), x)
        c.add(f"ZeroPadding{rank}D channels first", padding(2, data_format=FIRST), first)
        c.add(f"Cropping{rank}D", cropping(1), x, unknown=open_shape)
        c.add(f"Cropping{rank}D pairs", cropping(cuts[0] if rank == 1 else cuts), x)
        c.add(f"UpSampling{rank}D", up(3 if rank == 1 else (2, 1, 3)[:rank]), x, unknown=open_shape)
        if rank > 1:
            c.add(f"ZeroPadding{rank}D for each axis", padding((2, 1, 0)[:rank]), x)
            c.add(f"Cropping{rank}D channels first", cropping(cuts, data_format=FIRST), first)
            c.add(f"UpSampling{rank}D channels first", up(2, data_format=FIRST), first)
    x = c.normal(1, 4, 3, 2)
    for method in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
        c.add(f"UpSampling2D {method}", L.UpSampling2D((2, 3), interpolation=method), x, unknown=[(None, None, None, 2)])
    c.add(
        "UpSampling2D bilinear channels first",
        L.UpSampling2D(2, interpolation="bilinear", data_format=FIRST),
        np.moveaxis(x, -1, 1),
    )
    c.write()


def activations():
    c = Cases("activations", 6)
    x = c.normal(2, 3, 4) * 4
    mask = np.array([[True, True, False], [False, True, False]])
    # Not sparsemax: Keras' own sums up too much where more than one element stays, so its results do not sum to 1.
    for name in NAMES:
        c.add(f"Activation {name}", L.Activation(name), x, inferable=name != "glu")
    c.add("Activation mask", L.Activation("relu"), x, masks=[mask])
    c.add("ReLU", L.ReLU(), x)
    c.add("ReLU 6", L.ReLU(max_value=6), x)
    c.add("ReLU all", L.ReLU(max_value=3, negative_slope=0.1, threshold=1.0), x)
    c.add("ReLU threshold", L.ReLU(threshold=0.5), x)
    c.add("ReLU slope", L.ReLU(negative_slope=0.2), x)
    c.add("LeakyReLU", L.LeakyReLU(), x)
    c.add("LeakyReLU slope", L.LeakyReLU(negative_slope=0.05), x, masks=[mask])
    c.add("ELU", L.ELU(), x)
    c.add("ELU alpha", L.ELU(alpha=0.3), x)
    c.add("PReLU", L.PReLU(), x)
    c.add("PReLU shared", L.PReLU(shared_axes=[1]), x, unknown=[(None, None, 4)])
    c.add("PReLU shared axes", L.PReLU(shared_axes=[1, 2]), c.normal(1, 2, 3, 2))
    c.add("Softmax", L.Softmax(), x)
    c.add("Softmax axis", L.Softmax(axis=1), x)
    c.add("Softmax axes", L.Softmax(axis=[1, 2]), x)
    wide = np.array([[[True, True, False, True]] * 3] * 2)
    c.add("Softmax mask argument", L.Softmax(), x, kwargs={"mask": wide})
    c.add("Softmax axes mask argument", L.Softmax(axis=(-2, -1)), x, kwargs={"mask": wide})
    c.add("Softmax mask", L.Softmax(), c.normal(2, 3), masks=[mask])
    c.write()


NAMES = (
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear "
    "log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
    "sparse_sigmoid squareplus swish tanh tanh_shrink"
).split()


def regularization():
    c = Cases("regularization", 7)
    x = c.normal(2, 3, 4)
    mask = np.array([[True, True, False], [False, True, False]])
    c.add("Dropout", L.Dropout(0.5, noise_shape=(None, 1, 4), seed=3), x, masks=[mask])
    c.add("AlphaDropout", L.AlphaDropout(0.25), x, masks=[mask])
    c.add("GaussianDropout", L.GaussianDropout(0.25, seed=1), x)
    c.add("GaussianNoise", L.GaussianNoise(0.5), x, masks=[mask])
    c.add("SpatialDropout1D", L.SpatialDropout1D(0.5), x, masks=[mask])
    c.add("SpatialDropout2D", L.SpatialDropout2D(0.5, data_format=FIRST), c.normal(1, 2, 2, 2))
    c.add("SpatialDropout3D", L.SpatialDropout3D(0.5), c.normal(1, 2, 1, 2, 2))
    c.add("ActivityRegularization", L.ActivityRegularization(l1=0.1, l2=0.2), x, masks=[mask])
    c.write()


def core():
    c = Cases("core", 8)
    x = c.normal(2, 3, 4)
    mask = np.array([[True, True, False], [False, True, False]])
    tokens = np.array([[1, 4, 0], [0, 2, 3]], "int32")
    c.add("Dense", L.Dense(3, activation="relu"), x, masks=[mask], unknown=[(None, None, 4)])
    c.add("Dense without bias", L.Dense(2, use_bias=False), c.normal(3, 4))
    c.add("Embedding", L.Embedding(5, 3), tokens, unknown=[(None, None)])
    c.add("Embedding mask", L.Embedding(5, 2, mask_zero=True), tokens)
    c.add("Embedding of floats", L.Embedding(5, 2), tokens.astype("float32"))
    for tie in (True, False):
        layer = L.ReversibleEmbedding(5, 4, tie_weights=tie, mask_zero=True, logit_soft_cap=None if tie else 2.0)
        c.add(f"ReversibleEmbedding tie {tie}", layer, tokens)
        layer = L.ReversibleEmbedding(5, 4, tie_weights=tie, logit_soft_cap=None if tie else 2.0)
        c.add(f"ReversibleEmbedding back, tie {tie}", layer, x, kwargs={"reverse": True})
    c.add("EinsumDense", L.EinsumDense("ab,bc->ac", output_shape=3, bias_axes="c"), c.normal(2, 4))
    c.add("EinsumDense heads", L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de"), x, inferable=False)
    c.add(
        "EinsumDense back",
        L.EinsumDense("abde,dec->abc", output_shape=(None, 4), bias_axes="c"),
        c.normal(2, 3, 2, 2),
        inferable=False,
    )
    c.add("EinsumDense left", L.EinsumDense("...x,xy->...y", output_shape=3, bias_axes="y", activation="tanh"), x)
    c.add("EinsumDense right", L.EinsumDense("ab...,bc->ac...", output_shape=2, bias_axes="c"), x)
    c.add("EinsumDense transposed bias", L.EinsumDense("abc,cd->adb", output_shape=(2, 3), bias_axes="d"), x)
    c.add("Identity", L.Identity(), x, masks=[mask])
    padded = x.copy()
    padded[0, 1] = 0
    padded[1, 2] = -1
    c.add("Masking", L.Masking(), padded, unknown=[(None, None, 4)])
    c.add("Masking value", L.Masking(mask_value=-1.0), padded, masks=[mask])
    c.write()


def initializers():
    """Initializers that draw no random numbers: configuration, shape, values."""
    entries = []
    for initializer, shape in (
        (I.STFT(), (8, 1, 5)),
        (I.STFT(side="imag", window="hamming", periodic=True), (6, 1, 5)),
        (I.STFT(window="blackman", scaling="spectrum"), (7, 1, 4)),
        (I.STFT(side="imag", window=None), (4, 1, 3)),
        (I.STFT(window="flattop", scaling=None), (9, 1, 3)),
        (I.STFT(window="nuttall", periodic=True), (6, 1, 3)),
        (I.STFT(window="blackmanharris"), (6, 1, 3)),
        (I.STFT(window="bartlett"), (6, 1, 3)),
        (I.STFT(window="bartlett", periodic=True), (5, 1, 3)),
        (I.STFT(window="cosine"), (6, 1, 3)),
        (I.STFT(window="cosine", periodic=True), (5, 1, 3)),
        (I.STFT(window="boxcar", side="imag"), (5, 1, 3)),
        (I.Constant(1.5), (2, 2)),
        (I.Identity(), (3, 2)),
        (I.Zeros(), (2,)),
        (I.Ones(), (1, 2)),
    ):
        entries.append(
            {
                "class_name": type(initializer).__name__,
                "config": initializer.get_config(),
                "value": array(np.asarray(initializer(shape))),
            }
        )
    write(PART, "initializers", entries)


for family in (initializers, core, convolutional, pooling, normalization, merging, reshaping, activations, regularization):
    family()
