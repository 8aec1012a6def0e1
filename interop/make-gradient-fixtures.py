"""Writes test/fixtures/gradients: the gradients that Keras computes for the cases of test/fixtures/layers.

Run from the repository root:  interop/.venv/bin/python interop/make-gradient-fixtures.py
Pinned: the versions of requirements.txt (keras 3.15.1, jax 0.10.2). A second run writes the same bytes.

The loss is the sum of all float outputs, each element weighted by a number of `Weights`, which test/parity repeats.
An entry holds the gradients of the float inputs, then of the trainable weights in Keras' order. Layers that work
otherwise in training have a second entry. Every STRIDEth element is kept of gradients that are large.
Names of families as arguments write those alone.
"""

import io
import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"

import h5py
import jax
import keras
import numpy as np
from keras.src import backend
from keras.src.saving import saving_lib

assert keras.__version__ == "3.15.1", keras.__version__

ROOT = pathlib.Path(__file__).parent.parent / "test" / "fixtures"
FAMILIES = [
    *["main/core", "main/convolutional", "main/normalization", "main/pooling", "main/activations"],
    *["main/merging", "main/reshaping"],
    *["sequence/simple-rnn", "sequence/lstm", "sequence/gru", "sequence/rnn", "sequence/bidirectional"],
    *["sequence/conv-lstm", "sequence/time-distributed", "sequence/attention"],
    *["sequence/multi-head-attention", "sequence/grouped-query-attention"],
    *["sequence/numbers", "sequence/spectrograms"],
]
# Of families that are not about training, those alone that have weights.
ONLY = {"sequence/numbers": {"Normalization", "Pipeline"}, "sequence/spectrograms": {"STFTSpectrogram"}}
LIMIT = 300
STRIDE = 7
IN_TRAINING = {"BatchNormalization", "SpectralNormalization"}


class Weights:
    """Numbers in [-0.5, 0.5) from a linear congruential generator."""

    def __init__(self):
        self.state = 20261121

    def next(self, shape):
        numbers = []
        for _ in range(int(np.prod(shape))):
            self.state = (self.state * 1664525 + 1013904223) % 2**32
            numbers.append(self.state / 2**32 - 0.5)
        return np.array(numbers, dtype="float32").reshape(shape)


def array(stored):
    data = [float(value) if isinstance(value, str) else value for value in stored["data"]]
    return np.array(data, dtype=stored["dtype"]).reshape(stored["shape"])


def given(value):
    """Arguments of a call: { tensor: … } as arrays."""
    if isinstance(value, dict) and "tensor" in value:
        return keras.ops.convert_to_tensor(array(value["tensor"]))
    if isinstance(value, list):
        return [given(entry) for entry in value]
    return value


def load_weights(layer, weights):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for stored in weights:
            file[stored["path"]] = array(stored)
    store = saving_lib.H5IOStore(io.BytesIO(buffer.getvalue()), mode="r")
    saving_lib._load_state(layer, weights_store=store, assets_store=None, inner_path="", visited_saveables=set())
    store.close()


def number(value):
    value = float(f"{float(value):.5g}")
    return int(value) if np.isfinite(value) and value == int(value) and abs(value) < 1e15 else value


def kept(gradient):
    flat = np.asarray(gradient).ravel()
    return [number(value) for value in (flat[::STRIDE] if flat.size > LIMIT else flat)]


def complete(config):
    """A configuration with the names of modules, as Keras wants them."""
    if isinstance(config, dict):
        found = {key: complete(value) for key, value in config.items()}
        if "class_name" in found and "config" in found:
            for module in (keras.layers, keras.initializers, keras.regularizers, keras.constraints):
                if hasattr(module, found["class_name"]):
                    return {"module": module.__name__, "registered_name": None, **found}
        return found
    return [complete(value) for value in config] if isinstance(config, list) else config


def gradients(case, training):
    layer = keras.saving.deserialize_keras_object(
        complete({"class_name": case["class_name"], "config": case["config"]})
    )
    inputs = [array(stored) for stored in case["inputs"]]
    masks = [None if mask is None else array(mask) for mask in case.get("masks", [None] * len(inputs))]
    kwargs = {key: given(value) for key, value in case.get("kwargs", {}).items()}

    def call(tensors, stateless=None):
        for tensor, mask in zip(tensors, masks):
            if mask is not None:
                backend.set_keras_mask(tensor, keras.ops.convert_to_tensor(mask))
        if case["class_name"] in POSITIONAL or len(tensors) == 1:
            arguments = tensors
        else:
            arguments = [tensors]
        if stateless is None:
            return layer(*arguments, **kwargs)
        mode = {"training": True} if training else {}
        # Not stateless_call(), which leaves out the masks.
        with backend.StatelessScope(state_mapping=stateless):
            return layer(*arguments, **kwargs, **mode)

    call([keras.ops.convert_to_tensor(value) for value in inputs])
    load_weights(layer, case["weights"])
    is_float = [value.dtype.kind == "f" for value in inputs]
    trainable = [variable.value for variable in layer.trainable_variables]

    def loss(floats, trainable):
        floats = list(floats)
        tensors = [floats.pop(0) if use else jax.numpy.asarray(v) for v, use in zip(inputs, is_float)]
        outputs = call(tensors, list(zip(layer.trainable_variables, trainable)))
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        weights = Weights()
        total = 0.0
        for output in outputs:
            if jax.numpy.issubdtype(output.dtype, jax.numpy.floating):
                total = total + (output * weights.next(output.shape)).sum()
        return total

    floats = [jax.numpy.asarray(value) for value, use in zip(inputs, is_float) if use]
    by_input, by_weight = jax.grad(loss, argnums=(0, 1))(floats, trainable)
    entry = {"class_name": case["class_name"], "case": case["name"], "inputs": [kept(g) for g in by_input], "weights": [kept(g) for g in by_weight]}
    return {**entry, "training": True} if training else entry


POSITIONAL = {"MultiHeadAttention", "GroupQueryAttention"}

total_bytes = 0
for family in [name for name in FAMILIES if not sys.argv[1:] or name in sys.argv[1:]]:
    cases = json.loads((ROOT / "layers" / f"{family}.json").read_text(encoding="utf-8"))
    if family in ONLY:
        cases = [case for case in cases if case.get("class_name") in ONLY[family] and case["weights"]]
    entries = []
    assert len({(case["class_name"], case["name"]) for case in cases}) == len(cases), family
    for case in cases:
        if any(stored["dtype"] == "string" for stored in case["inputs"]):
            continue
        has_modes = case["class_name"] in IN_TRAINING and "training" not in case.get("kwargs", {})
        if not any(stored["dtype"] == "float32" for stored in case["outputs"]):
            continue
        for training in [False, True] if has_modes else [False]:
            entry = gradients(case, training)
            # A gradient that is not defined says nothing.
            if np.all(np.isfinite(sum(entry["inputs"] + entry["weights"], []))):
                entries.append(entry)
            else:
                print("left out:", family, case["name"])
    text = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    path = ROOT / "gradients" / f"{family.split('/')[1]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8")
    total_bytes += len(text)
    print(family, len(entries), len(text))
print(total_bytes)
