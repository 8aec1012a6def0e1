"""Cases for the parity tests of layers: what real Keras computes with single layers, as small JSON.

Used by the scripts make-layer-fixtures-<part>.py, which pin the versions; test/support/layer-case.ts reads the files.
"""

import io
import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")

import h5py
import keras
import numpy as np
from keras.src import backend
from keras.src.saving import saving_lib

FIXTURES = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "layers"


class Cases:
    """The cases of one family of layers: a file below test/fixtures/layers/<part>."""

    def __init__(self, part, family, seed):
        self.path = FIXTURES / part / f"{family}.json"
        self.rng = np.random.default_rng(seed)
        self.cases = []

    def normal(self, *shape, scale=1.0):
        """Random numbers of four decimals, which JSON keeps exactly."""
        return np.round(self.rng.normal(0, scale, shape), 4).astype("float32")

    def add(self, name, layer, *inputs, masks=None, kwargs=None, unknown=(), prepare=None, positional=False,
            symbolic=True):
        """One call. Several inputs are one list, unless `positional`; `unknown` are further input shapes to infer."""
        masks = masks or [None] * len(inputs)
        kwargs = kwargs or {}
        given = [masked(value, mask) for value, mask in zip(inputs, masks)]
        call = {key: convert(value) for key, value in kwargs.items()}

        def run(values, extra):
            if positional or len(values) == 1:
                return flat(layer(*values, **extra))
            return flat(layer(values, **extra))

        run(given, call)
        self.randomize(layer)
        if prepare is not None:
            prepare(layer)
        outputs = run(given, call)
        variables = [variable for variable in layer.weights if "seed" not in variable.path]
        self.cases.append({
            "name": name,
            "class_name": keras_name(layer),
            "config": simplified(keras.saving.serialize_keras_object(layer)["config"]),
            "inputs": [array(value) for value in inputs],
            "masks": [None if mask is None else array(mask) for mask in masks],
            "kwargs": {key: stored(value) for key, value in kwargs.items()},
            "weights": saved_weights(layer),
            "weight_names": [variable.name for variable in variables],
            "weight_shapes": [list(variable.shape) for variable in variables],
            "trainable": [bool(variable.trainable) for variable in variables],
            "outputs": [array(output) for output in outputs],
            "output_masks": [
                None if mask is None else array(mask) for mask in map(backend.get_keras_mask, outputs)
            ],
            "supports_masking": bool(layer.supports_masking),
            "inferred": [
                self.inferred(run, inputs, kwargs, shapes)
                for shapes in [[(None, *value.shape[1:]) for value in inputs], *([s] if isinstance(s, tuple) else s
                                                                               for s in unknown)]
            ] if symbolic else [],
        })

    def inferred(self, run, inputs, kwargs, shapes):
        """Shapes and dtypes that Keras infers from input shapes."""
        tensors = [keras.KerasTensor(shape, dtype=str(value.dtype)) for shape, value in zip(shapes, inputs)]
        outputs = run(tensors, {key: symbol(value) for key, value in kwargs.items()})
        return {
            "inputs": [list(shape) for shape in shapes],
            "outputs": [{"shape": list(output.shape), "dtype": str(output.dtype)} for output in outputs],
        }

    def randomize(self, layer):
        """Weights that no initializer gives; variances stay positive."""
        for variable in layer.weights:
            if "seed" in variable.path or not backend.is_float_dtype(variable.dtype):
                continue
            values = self.normal(*variable.shape, scale=0.5)
            if "variance" in variable.name or "stddev" in variable.name:
                values = np.abs(values) + np.float32(0.5)
            variable.assign(values)

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in self.cases)
        self.path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def keras_name(layer):
    """The name under which Keras exports the class, which a file holds."""
    return keras.saving.serialize_keras_object(layer)["class_name"]


def is_text(value):
    return value.dtype.kind in "OSU"


def masked(value, mask):
    tensor = value if is_text(value) else keras.ops.convert_to_tensor(value)
    if mask is not None:
        backend.set_keras_mask(tensor, keras.ops.convert_to_tensor(mask))
    return tensor


def flat(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def convert(value):
    if isinstance(value, list):
        return [convert(entry) for entry in value]
    return keras.ops.convert_to_tensor(value) if isinstance(value, np.ndarray) else value


def symbol(value):
    if isinstance(value, list):
        return [symbol(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return keras.KerasTensor((None, *value.shape[1:]), dtype=str(value.dtype))
    return value


def stored(value):
    if isinstance(value, list):
        return [stored(entry) for entry in value]
    return array(value) if isinstance(value, np.ndarray) else value


def number(value):
    """Seven significant digits, which is what float32 holds; infinities and NaN by name."""
    rounded = float(f"{float(value):.7g}")
    if np.isnan(rounded) or np.isinf(rounded):
        return str(rounded)
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 2**53 else rounded


def array(value):
    value = np.asarray(value)
    if is_text(value):
        data = [entry.decode() if isinstance(entry, bytes) else str(entry) for entry in value.ravel()]
        return {"shape": list(value.shape), "dtype": "string", "data": data}
    exact = value.dtype.kind in "iub"
    data = [int(entry) if exact else number(entry) for entry in value.ravel()]
    return {"shape": list(value.shape), "dtype": str(value.dtype), "data": data}


def saved_weights(layer):
    """Datasets by path, as Keras writes them into `.weights.h5`."""
    buffer = io.BytesIO()
    store = saving_lib.H5IOStore(buffer, mode="w")
    saving_lib._save_state(layer, weights_store=store, assets_store=None, inner_path="", visited_saveables=set())
    store.close()
    found = {}
    with h5py.File(io.BytesIO(buffer.getvalue()), "r") as file:
        def visit(path, item):
            if isinstance(item, h5py.Dataset) and "seed_generator" not in path:
                found[path] = array(item[()])

        file.visititems(visit)
    return found


def simplified(value):
    """A configuration without what files repeat for every object: policies by name, no modules."""
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy":
            return value["config"]["name"]
        if "class_name" in value and "config" in value:
            return {"class_name": value["class_name"], "config": simplified(value["config"])}
        return {key: simplified(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [simplified(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value
