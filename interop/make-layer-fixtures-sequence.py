"""Writes test/fixtures/layers/sequence: what Keras computes with recurrent, attention and preprocessing layers.

Run from the repository root:  interop/.venv/bin/python interop/make-layer-fixtures-sequence.py
Pinned: the versions of requirements.txt (keras 3.15.1, jax 0.10.2). Seeded; a second run writes the same bytes.
Names of families as arguments write those alone.
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from layer_cases import case, rounded, write

assert keras.__version__ == "3.15.1", keras.__version__

L = keras.layers
PART = "sequence"
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], dtype=bool)


class Cases:
    """The cases of one family; they become one file."""

    def __init__(self, family, seed):
        self.family = family
        self.rng = np.random.default_rng(seed)
        self.cases = []

    def normal(self, *shape, scale=1.0):
        return rounded(self.rng, *shape, scale=scale)

    def add(self, name, layer, *inputs, masks=None, kwargs=None, unknown=None, **options):
        given = list(inputs) if len(inputs) > 1 else inputs[0]
        entry = case(name, layer, given, masks, kwargs, self.rng, **options)
        if "output_masks" in entry and kwargs is not None and "return_attention_scores" in kwargs:
            # Masks that the softmax inside leaves on the scores are an accident of eager calls.
            entry["output_masks"] = entry["output_masks"][:1]
        entry["supports_masking"] = bool(layer.supports_masking)
        if unknown is not None:
            output = layer(keras.KerasTensor(unknown))
            entry["unknown"] = {"inputs": [list(unknown)], "outputs": [list(output.shape)]}
        self.cases.append(entry)

    def write(self):
        write(PART, self.family, self.cases)


def recurrent(family, make, count, seed):
    c = Cases(family, seed)
    x = c.normal(3, 5, 4)
    states = [c.normal(3, 3) for _ in range(count)]

    def one(title, masks=None, kwargs=None, **options):
        c.add(title, make(3, **options), x, masks=masks, kwargs=kwargs)

    one("last output")
    one("all outputs", return_sequences=True)
    one("all outputs and states, backwards", return_sequences=True, return_state=True, go_backwards=True)
    one("masked", masks=[MASK])
    one("masked, all outputs, states", masks=[MASK], return_sequences=True, return_state=True)
    one("masked, zero outputs", masks=[MASK], return_sequences=True, zero_output_for_mask=True)
    one("masked, zero last output, backwards", masks=[MASK], zero_output_for_mask=True, go_backwards=True)
    one("masked, backwards", masks=[MASK], return_sequences=True, go_backwards=True)
    one("mask argument", kwargs={"mask": MASK})
    one("initial state", kwargs={"initial_state": states}, return_state=True)
    one("initial state, masked", kwargs={"initial_state": states}, masks=[MASK], return_sequences=True)
    one("no bias, relu, unrolled", use_bias=False, activation="relu", unroll=True)
    c.add("unknown steps", make(2, return_sequences=True), x, unknown=(None, None, 4))
    if family != "simple-rnn":
        one("hard sigmoid", recurrent_activation="hard_sigmoid")
    if family == "lstm":
        one("no unit forget bias", unit_forget_bias=False)
    if family == "gru":
        one("reset before", reset_after=False)
        one("reset before, no bias", reset_after=False, use_bias=False, return_sequences=True)
        one("reset after, no bias", use_bias=False, return_sequences=True)
    c.write()


def simple_rnn():
    recurrent("simple-rnn", L.SimpleRNN, 1, 1)


def lstm():
    recurrent("lstm", L.LSTM, 2, 2)


def gru():
    recurrent("gru", L.GRU, 1, 3)


def rnn():
    def stack():
        return [L.LSTMCell(3), L.GRUCell(2), L.SimpleRNNCell(4)]

    c = Cases("rnn", 4)
    x = c.normal(3, 5, 4)
    c.add("one cell", L.RNN(L.GRUCell(3), return_sequences=True), x)
    c.add("list of cells", L.RNN(stack()), x)
    c.add("stacked cells, masked", L.RNN(L.StackedRNNCells(stack()), return_sequences=True), x, masks=[MASK])
    c.add(
        "stacked, backwards, zero",
        L.RNN([L.LSTMCell(2), L.LSTMCell(3)], return_sequences=True, go_backwards=True, zero_output_for_mask=True),
        x,
        masks=[MASK],
    )
    c.write()


def bidirectional():
    c = Cases("bidirectional", 5)
    x = c.normal(3, 5, 4)

    def one(title, inner, masks=None, kwargs=None, **options):
        c.add(title, L.Bidirectional(inner, **options), x, masks=masks, kwargs=kwargs)

    for mode in ("concat", "sum", "ave", "mul", None):
        one(f"merge {mode}", L.LSTM(3), merge_mode=mode)
        one(f"merge {mode}, all outputs, masked", L.GRU(2, return_sequences=True), [MASK], merge_mode=mode)
    one("states", L.LSTM(2, return_state=True, return_sequences=True))
    one("states, merge null", L.SimpleRNN(2, return_state=True), merge_mode=None)
    one("initial state", L.LSTM(2, return_sequences=True), kwargs={"initial_state": [c.normal(3, 2) for _ in range(4)]})
    one(
        "backward layer",
        L.LSTM(2, return_sequences=True),
        backward_layer=L.GRU(2, return_sequences=True, go_backwards=True, name="other"),
    )
    one("masked, last output", L.GRU(2), [MASK])
    one("cells", L.RNN([L.LSTMCell(2), L.GRUCell(2)], return_sequences=True))
    c.write()


def time_distributed():
    c = Cases("time-distributed", 6)
    x = c.normal(3, 5, 4)
    c.add("dense", L.TimeDistributed(L.Dense(3, activation="tanh")), x)
    c.add("masked", L.TimeDistributed(L.Dense(2)), x, masks=[MASK])
    c.add("recurrent", L.TimeDistributed(L.GRU(2, return_sequences=True)), c.normal(2, 3, 4, 2))
    c.add("nested", L.TimeDistributed(L.TimeDistributed(L.Dense(2))), c.normal(2, 3, 4, 4))
    c.write()


def conv_lstm():
    c = Cases("conv-lstm", 7)
    x1, x2, x3 = c.normal(2, 3, 6, 2), c.normal(2, 3, 5, 4, 2), c.normal(2, 2, 3, 4, 3, 1)
    everything = {"return_sequences": True, "return_state": True}
    c.add("1d", L.ConvLSTM1D(2, 3), x1)
    c.add("1d, strides, all", L.ConvLSTM1D(2, 3, strides=2, padding="same", return_sequences=True), x1)
    c.add("2d", L.ConvLSTM2D(2, 2), x2)
    c.add(
        "2d, all, states",
        L.ConvLSTM2D(2, (2, 3), padding="same", recurrent_activation="hard_sigmoid", **everything),
        x2,
    )
    c.add(
        "2d, dilation, no bias, backwards",
        L.ConvLSTM2D(2, 2, dilation_rate=2, use_bias=False, go_backwards=True, return_sequences=True),
        x2,
    )
    c.add("2d, channels first", L.ConvLSTM2D(2, 2, data_format="channels_first", padding="same", **everything), x2)
    c.add("3d", L.ConvLSTM3D(1, 2, padding="same"), x3)
    c.write()


def attention():
    c = Cases("attention", 8)
    q, v, k = c.normal(3, 4, 6), c.normal(3, 5, 6), c.normal(3, 5, 6)
    qm = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]], dtype=bool)
    vm = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
    for make in (L.Attention, L.AdditiveAttention):
        name = make.__name__
        c.add(f"{name}", make(), q, v)
        c.add(f"{name} key", make(use_scale=True), q, v, k)
        c.add(f"{name} no scale", make(use_scale=False), q, v, k)
        c.add(f"{name} masks", make(), q, v, masks=[qm, vm])
        c.add(f"{name} masks, causal", make(), q, v, k, masks=[None, vm, vm], kwargs={"use_causal_mask": True})
        c.add(f"{name} scores", make(dropout=0.2), q, v, kwargs={"return_attention_scores": True})
    c.add("Attention concat", L.Attention(score_mode="concat"), q, v, masks=[qm, vm])
    c.add("Attention concat scale", L.Attention(score_mode="concat", use_scale=True, seed=1), q, v, k)
    c.write()

    c = Cases("multi-head-attention", 9)
    wide = c.normal(3, 5, 3)
    am = c.rng.integers(0, 2, (3, 4, 5)).astype(bool)
    am[:, :, 0] = True

    def one(title, *inputs, masks=None, kwargs=None, shapes=True, heads=2, key_dim=3, **options):
        layer = L.MultiHeadAttention(heads, key_dim, **options)
        c.add(title, layer, *inputs, masks=masks, kwargs=kwargs, positional=True, shapes=shapes)

    scores = {"return_attention_scores": True}
    one("self", q, q)
    one("key and value of other sizes", q, v, wide, value_dim=2, dropout=0.1)
    one("no bias, output shape", q, v, use_bias=False, output_shape=5)
    one("output shape of two axes", q, v, output_shape=(2, 3))
    one("masks", q, v, masks=[qm, vm])
    one("masks, key", q, v, k, masks=[qm, vm, vm[:, ::-1].copy()])
    one("attention mask", q, v, kwargs={"attention_mask": am})
    one("causal", q, q, kwargs={"use_causal_mask": True})
    one("causal, masks, scores", q, q, masks=[qm, qm], kwargs={"use_causal_mask": True, **scores})
    one("scores", q, v, kwargs=scores, shapes=False)
    one("scores, all masks", q, v, masks=[qm, vm], kwargs={"attention_mask": am, **scores}, shapes=False)
    one("dropout, masks", q, v, masks=[qm, vm], dropout=0.3)
    one("gate", q, v, use_gate=True, value_dim=4, dropout=0.1)
    one("gate, same sizes", q, v, use_gate=True)
    one("sliding window", q, q, sliding_window=2)
    one("sliding window, causal, scores", q, q, sliding_window=2, kwargs={"use_causal_mask": True, **scores})
    grid = c.normal(2, 3, 4, 5)
    one("two axes", grid, grid)
    one("first axis", grid, grid, attention_axes=1)
    one("second axis, scores", grid, grid, attention_axes=(2,), kwargs=scores, shapes=False)
    c.write()

    c = Cases("grouped-query-attention", 10)

    def group(title, *inputs, masks=None, kwargs=None, **options):
        c.add(title, L.GroupQueryAttention(3, 4, 2, **options), *inputs, masks=masks, kwargs=kwargs, positional=True)

    group("self", q, q)
    group("key", q, v, k)
    group("masks", q, v, masks=[qm, vm])
    group("causal, scores", q, q, kwargs={"use_causal_mask": True, **scores})
    group("attention mask, scores", q, v, masks=[None, vm], kwargs={"attention_mask": am, **scores})
    group("gate, no bias", q, v, use_gate=True, use_bias=False)
    group("sliding window, dropout", q, q, sliding_window=3, dropout=0.1)
    c.write()


def adapted(layer):
    layer.finalize_state()


def numbers():
    c = Cases("numbers", 11)
    x = c.normal(3, 4)
    integers = c.rng.integers(0, 9, (3, 4)).astype("int32")
    mask = np.array([[1, 1, 1, 0]] * 3, dtype=bool)
    c.add("Rescaling", L.Rescaling(1 / 127.5, offset=-1), integers)
    c.add("Rescaling lists", L.Rescaling([0.5, 2.0, -1.0, 0.1], offset=[1.0, 2.0, 3.0, 4.0]), x)
    c.add("Rescaling mask", L.Rescaling(2.0), c.normal(3, 4, 2), masks=[mask])
    c.add("Normalization", L.Normalization(), x, prepare=adapted)
    c.add("Normalization invert", L.Normalization(invert=True), x, prepare=adapted)
    c.add("Normalization axes", L.Normalization(axis=(1, -1)), c.normal(2, 3, 4, 2), prepare=adapted)
    c.add("Normalization axis 1", L.Normalization(axis=1), c.normal(2, 3, 4), unknown=(None, 3, None), prepare=adapted)
    c.add("Normalization no axis", L.Normalization(axis=None), x, prepare=adapted)
    c.add("Normalization given", L.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[4.0, 1.0, 0.25, 0.0]), x)
    c.add("Normalization given scalars", L.Normalization(mean=3.0, variance=2.0), integers)
    c.add("Normalization given, fewer axes",
          L.Normalization(axis=(1, 2), mean=[1.0, 2.0], variance=[1.0, 4.0], invert=True), c.normal(2, 3, 2))
    for mode in ("one_hot", "multi_hot", "count"):
        c.add(f"CategoryEncoding {mode}", L.CategoryEncoding(num_tokens=9, output_mode=mode), integers)
        c.add(f"CategoryEncoding {mode}, one", L.CategoryEncoding(num_tokens=9, output_mode=mode), integers[:, :1])
    c.add("CategoryEncoding weights", L.CategoryEncoding(num_tokens=9, output_mode="count"), integers,
          kwargs={"count_weights": x})
    bounds = [-1.0, -0.25, 0.5, 2.0]
    edges = np.array([[-1.0, -0.25, 0.5], [2.0, -5.0, 7.0]], "float32")
    c.add("Discretization int", L.Discretization(bin_boundaries=bounds), edges)
    for mode in ("one_hot", "multi_hot", "count"):
        c.add(f"Discretization {mode}", L.Discretization(bin_boundaries=bounds, output_mode=mode), x)
    c.add("Discretization integers", L.Discretization(bin_boundaries=[1.5, 3.0, 6.0]), integers)
    c.add("Pipeline", L.Pipeline([L.Rescaling(0.5), L.Dense(2), L.ReLU()]), x)
    c.write()


def images():
    c = Cases("images", 12)
    x = np.round(c.rng.uniform(0, 255, (2, 5, 6, 2)), 2).astype("float32")
    bytes_ = c.rng.integers(0, 255, (1, 4, 6, 3)).astype("int32")
    for kind in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        c.add(f"Resizing {kind}", L.Resizing(7, 4, interpolation=kind), x)
        if kind != "nearest":
            c.add(f"Resizing {kind}, antialias", L.Resizing(3, 2, interpolation=kind, antialias=True), x)
    # Extents that give no halves, which float32 may round to either side.
    c.add("Resizing integers", L.Resizing(3, 7), bytes_)
    c.add("Resizing crop", L.Resizing(4, 4, crop_to_aspect_ratio=True), x, unknown=(None, None, None, 2))
    c.add("Resizing pad", L.Resizing(4, 3, pad_to_aspect_ratio=True, fill_value=7.0), x)
    c.add("Resizing channels first", L.Resizing(3, 4, data_format="channels_first"), np.moveaxis(x, -1, 1).copy())
    c.add("CenterCrop", L.CenterCrop(3, 3), x, unknown=(None, None, None, 2))
    c.add("CenterCrop uneven", L.CenterCrop(2, 5), bytes_)
    c.add("CenterCrop enlarges", L.CenterCrop(7, 4), x)
    c.add("CenterCrop channels first", L.CenterCrop(4, 2, data_format="channels_first"), np.moveaxis(x, -1, 1).copy())
    flat = x.copy()
    flat[1, :, :, 0] = 3
    c.add("AutoContrast", L.AutoContrast(), flat)
    c.add("AutoContrast range", L.AutoContrast(value_range=(0, 300)), bytes_)
    # Halves and whole numbers, which no rounding on the way moves to another level.
    grey = np.round(c.rng.uniform(0, 255, (2, 9, 7, 2))).astype("float32")
    clahe = L.ContrastLimitedAdaptiveHistogramEqualization
    c.add("CLAHE", clahe(tile_grid_size=(2, 3)), grey)
    c.add("CLAHE no limit", clahe(tile_grid_size=(3, 2), clip_limit=0.0), grey)
    c.add("CLAHE channels first", clahe(tile_grid_size=(2, 2), clip_limit=1.5, data_format="channels_first"),
          np.moveaxis(grey, -1, 1).copy())
    c.write()

    c = Cases("augmentation", 13)
    small = np.round(c.rng.uniform(0, 255, (1, 3, 2, 3)), 1).astype("float32")
    whole = small.astype("int32")
    factor = ("RandomBrightness RandomColorDegeneration RandomContrast RandomHue RandomRotation RandomSaturation "
              "RandomSharpness RandomZoom RandomGrayscale").split()
    plain = ("AugMix CutMix Equalization MixUp RandAugment RandomColorJitter RandomElasticTransform RandomErasing "
             "RandomFlip RandomGaussianBlur RandomInvert RandomPerspective RandomShear Solarization").split()
    made = {name: lambda name=name: getattr(L, name)(0.3) for name in factor}
    made |= {name: lambda name=name: getattr(L, name)() for name in plain}
    made["RandomPosterization"] = lambda: L.RandomPosterization(4)
    made["RandomTranslation"] = lambda: L.RandomTranslation(0.2, (-0.1, 0.3), seed=3)
    made["RandomCrop"] = lambda: L.RandomCrop(2, 2, seed=1)
    made["MaxNumBoundingBoxes"] = lambda: L.MaxNumBoundingBoxes(4)
    for name, make in made.items():
        for images in (small, whole):
            training = {} if name == "MaxNumBoundingBoxes" else {"training": False}
            c.add(f"{name} {images.dtype}", make(), images, kwargs=training, shapes=False)
    c.write()


def spectrograms():
    c = Cases("spectrograms", 14)
    x = c.normal(2, 40, 2)
    for mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft"):
        c.add(f"STFT {mode}", L.STFTSpectrogram(mode=mode, frame_length=8), x, unknown=(None, None, 2))
    c.add("STFT same", L.STFTSpectrogram(mode="magnitude", frame_length=6, frame_step=4, padding="same"), x)
    c.add("STFT expanded", L.STFTSpectrogram(mode="stft", frame_length=6, fft_length=10, expand_dims=True), x)
    c.add("STFT channels first", L.STFTSpectrogram(
        mode="real", frame_length=6, data_format="channels_first"), np.moveaxis(x, -1, 1).copy())
    c.add("STFT channels first, expanded", L.STFTSpectrogram(
        mode="psd", frame_length=6, data_format="channels_first", expand_dims=True), np.moveaxis(x, -1, 1).copy())
    # Loud enough that decibels are not near 0, where the rounding of float32 sums shows.
    signal = c.normal(2, 60, scale=100.0)
    small = {"fft_length": 16, "sequence_stride": 6, "num_mel_bins": 5, "sampling_rate": 1000}
    c.add("Mel", L.MelSpectrogram(**small), signal, shapes=False)
    c.add("Mel power", L.MelSpectrogram(**small, power_to_db=False, mag_exp=1.0), signal, shapes=False)
    c.add("Mel short frames", L.MelSpectrogram(
        **small, sequence_length=11, window="hamming", min_freq=50.0, max_freq=300, top_db=12.0, ref_power=2.0),
          signal, shapes=False)
    c.add("Mel no window", L.MelSpectrogram(**small, window=None), signal, shapes=False)
    c.write()


FAMILIES = [simple_rnn, lstm, gru, rnn, bidirectional, time_distributed, conv_lstm, attention, numbers, images, spectrograms]

for family in FAMILIES:
    if len(sys.argv) == 1 or family.__name__ in sys.argv[1:]:
        family()
