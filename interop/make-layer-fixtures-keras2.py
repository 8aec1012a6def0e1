"""Writes test/fixtures/layers/main/keras2.json: layers that only Keras 2 has, and what only Keras 2 can configure.

Run from the repository root in an environment of its own:
    pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0
    python interop/make-layer-fixtures-keras2.py
Seeded; a second run writes the same bytes. The form is that of layer_cases.py.
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras as keras

assert keras.__version__ == "2.21.0", keras.__version__

L = keras.layers
FIRST = "channels_first"
FILE = pathlib.Path("test/fixtures/layers/main/keras2.json")

rng = np.random.default_rng(9)
cases = []


def normal(*shape):
    return np.round(rng.normal(size=shape), 2).astype("float32")


def array(value):
    """Shape, dtype and elements with 7 significant digits."""
    value = np.asarray(value)
    return {"shape": list(value.shape), "dtype": str(value.dtype), "data": [number(x) for x in value.ravel()]}


def number(x):
    return int(x) if isinstance(x, (bool, np.bool_)) else float(f"{x:.7g}")


def simplified(value):
    if isinstance(value, dict):
        kept = ("class_name", "config") if "class_name" in value else value
        return {key: simplified(value[key]) for key in kept}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return [simplified(x) for x in value] if isinstance(value, (list, tuple)) else value


def add(name, layer, *inputs, masks=(), options=None):
    """One call of a layer; `options` are what the reader adds to a configuration of Keras 2."""
    tensors = [tf.constant(x) for x in inputs]
    for tensor, mask in zip(tensors, masks):
        if mask is not None:
            tensor._keras_mask = tf.constant(mask)
    x = tensors if len(tensors) > 1 else tensors[0]
    layer(x)
    values = [np.round(np.abs(normal(*w.shape)) + 0.5, 2) if "variance" in w.name else normal(*w.shape) for w in layer.weights]
    layer.set_weights(values)
    output = layer(x)
    mask = getattr(output, "_keras_mask", None)
    config = {**simplified(layer.get_config()), **(options or {})}
    shapes = [(None, *x.shape[1:]) for x in inputs]
    if "Transpose" in name:
        # Without meaning here, and dropped by the reader.
        assert config.pop("groups") == 1
    cases.append(
        {
            "name": name,
            "class_name": type(layer).__name__,
            "config": config,
            "inputs": [array(x) for x in inputs],
            "masks": [None if mask is None else array(mask) for mask in masks],
            "weights": [{"path": f"vars/{i}", **array(w.numpy())} for i, w in enumerate(layer.weights)],
            "variables": [
                {"name": w.name.split("/")[-1].split(":")[0], "shape": list(w.shape), "trainable": w.trainable}
                for w in layer.weights
            ],
            "outputs": [array(output)],
            "output_masks": [None if mask is None else array(mask)],
            "output_shapes": [list(layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0]))],
            "supports_masking": layer.supports_masking,
        }
    )


for implementation in (1, 2, 3):
    i = {"implementation": implementation}
    one, two = normal(2, 6, 2), normal(2, 4, 5, 2)
    add(f"LocallyConnected1D {implementation}", L.LocallyConnected1D(3, 3, activation="relu", **i), one)
    add(f"LocallyConnected1D strides {implementation}", L.LocallyConnected1D(2, 2, strides=2, **i), one)
    add(f"LocallyConnected2D {implementation}", L.LocallyConnected2D(2, (2, 3), use_bias=False, **i), two)
    add(f"LocallyConnected2D strides {implementation}", L.LocallyConnected2D(2, 2, strides=(1, 2), **i), two)
    add(f"LocallyConnected1D channels first {implementation}", L.LocallyConnected1D(2, 3, data_format=FIRST, **i), normal(2, 2, 5))
    add(f"LocallyConnected2D channels first {implementation}", L.LocallyConnected2D(3, 2, data_format=FIRST, **i), normal(2, 2, 3, 4))
    if implementation > 1:
        add(f"LocallyConnected1D same {implementation}", L.LocallyConnected1D(2, 3, padding="same", **i), one)
        add(f"LocallyConnected1D same strides {implementation}", L.LocallyConnected1D(2, 2, strides=2, padding="same", **i), one)
        add(f"LocallyConnected2D same {implementation}", L.LocallyConnected2D(2, (3, 2), strides=2, padding="same", **i), two)

add("ThresholdedReLU", L.ThresholdedReLU(theta=0.7), normal(2, 6))
add("BatchNormalization axis list", L.BatchNormalization(axis=[3]), normal(2, 3, 2, 4))
add("BatchNormalization axes", L.BatchNormalization(axis=[1, 3]), normal(2, 3, 2, 4))
add("LayerNormalization axes", L.LayerNormalization(axis=[1, 2]), normal(2, 3, 2, 4))
add("UpSampling2D bilinear", L.UpSampling2D((2, 3), interpolation="bilinear"), normal(1, 3, 2, 2))
add("UpSampling2D bicubic", L.UpSampling2D(2, interpolation="bicubic"), normal(1, 4, 3, 2))
add("UpSampling2D lanczos3", L.UpSampling2D(2, interpolation="lanczos3"), normal(1, 4, 3, 2))
add("Conv2DTranspose output padding", L.Conv2DTranspose(2, 3, strides=3, padding="same", output_padding=2), normal(1, 3, 2, 2))
add("ReLU", L.ReLU(max_value=3, negative_slope=0.1, threshold=1.0), normal(2, 8) * 3)
add("GroupNormalization", L.GroupNormalization(groups=2), normal(2, 3, 4))
add("UnitNormalization", L.UnitNormalization(axis=[1, 2]), normal(2, 3, 4))

a, b, d = normal(2, 3, 4), normal(2, 3, 4), normal(2, 3, 4)
first = np.array([[True, True, False], [False, True, False]])
second = np.array([[True, False, False], [True, True, False]])
third = np.array([[False, True, False], [True, True, True]])
JOIN = {"mask_join": "all"}
for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
    merge = getattr(L, kind)
    add(f"{kind} masks", merge(), a, b, masks=[first, second], options=JOIN)
    add(f"{kind} one mask", merge(), a, b, masks=[None, second], options=JOIN)
    if kind != "Subtract":
        add(f"{kind} two of three masks", merge(), a, b, d, masks=[first, None, third], options=JOIN)
add("Concatenate axis 1 masks", L.Concatenate(axis=1), a, b, masks=[first, second], options=JOIN)
add("GlobalAveragePooling1D mask", L.GlobalAveragePooling1D(), a, masks=[first])
add("Masking", L.Masking(mask_value=0.0), a * first[:, :, None].astype("float32"))

text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
FILE.write_text(f"[\n{text}\n]\n")
print(f"{len(cases)} cases, {FILE.stat().st_size / 1000:.0f} kB")
