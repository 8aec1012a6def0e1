"""Cases for the parity tests of layers: real Keras computes, the case keeps configuration, inputs, weights, outputs.

Used by the scripts make-layer-fixtures-<part>.py, which pin the versions.
"""

import io
import json
import pathlib

import h5py
import keras
import numpy as np
from keras.src import backend
from keras.src.saving import saving_lib

FIXTURES = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "layers"


def number(value):
    """Seven significant digits, which is what float32 holds; whole numbers without a fraction."""
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    value = float(f"{float(value):.7g}")
    if np.isnan(value) or np.isinf(value):
        return str(value)
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def array(value):
    value = np.asarray(value)
    if value.dtype.kind in "OSU":
        data = [v.decode() if isinstance(v, bytes) else str(v) for v in value.ravel()]
        return {"shape": list(value.shape), "dtype": "string", "data": data}
    dtype = {"b": "bool", "i": "int32", "u": "int32"}.get(value.dtype.kind, "float32")
    return {"shape": list(value.shape), "dtype": dtype, "data": [int(v) if dtype != "float32" else number(v) for v in value.ravel()]}


def rounded(rng, *shape, scale=1.0):
    """Random float32 numbers of four decimals, which JSON keeps exactly."""
    return np.round(rng.normal(0, scale, shape), 4).astype("float32")


def randomize(layer, rng, scale=0.4):
    for variable in layer.weights:
        if "seed" in variable.path or not backend.is_float_dtype(variable.dtype):
            continue
        values = rounded(rng, *variable.shape, scale=scale)
        if "variance" in variable.name or "stddev" in variable.name:
            values = np.abs(values) + np.float32(0.5)
        variable.assign(values)


def saved_weights(layer):
    """Datasets as `.weights.h5` has them, by path."""
    buffer = io.BytesIO()
    store = saving_lib.H5IOStore(buffer, mode="w")
    saving_lib._save_state(
        layer, weights_store=store, assets_store=None, inner_path="", visited_saveables=set()
    )
    store.close()
    found = []
    with h5py.File(io.BytesIO(buffer.getvalue()), "r") as file:
        file.visititems(
            lambda path, item: found.append({"path": path, **array(item[()])})
            if isinstance(item, h5py.Dataset)
            else None
        )
    return found


def simplified(value):
    """A configuration without what files repeat for every object: policies as names, no modules."""
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy":
            return value["config"]["name"]
        if "class_name" in value and "config" in value:
            return {"class_name": value["class_name"], "config": simplified(value["config"])}
        return {key: simplified(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [simplified(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return value


def tensors(value):
    """Arguments of a call: arrays as { tensor: … }."""
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        return {"tensor": array(value)}
    if isinstance(value, (list, tuple)):
        return [tensors(entry) for entry in value]
    return value


def case(name, layer, inputs, masks=None, kwargs=None, rng=None, scale=0.4, shapes=True,
         positional=False, prepare=None):
    """Runs a layer. `inputs` is an array, or a list for a layer whose first argument is a list."""
    rng = rng or np.random.default_rng(1)
    kwargs = kwargs or {}
    flat = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    masks = masks or [None] * len(flat)
    call_kwargs = {
        key: [keras.ops.convert_to_tensor(v) for v in value]
        if isinstance(value, list)
        else keras.ops.convert_to_tensor(value)
        if isinstance(value, np.ndarray)
        else value
        for key, value in kwargs.items()
    }

    def call():
        # Each call has tensors of its own, since some layers take the masks away from theirs.
        given = []
        for value, mask in zip(flat, masks):
            # Strings are tensors on TensorFlow alone.
            if keras.backend.backend() == "tensorflow" or value.dtype.kind not in "OSU":
                value = keras.ops.convert_to_tensor(value.copy())
            if mask is not None:
                backend.set_keras_mask(value, keras.ops.convert_to_tensor(mask))
            given.append(value)
        if positional:
            return layer(*given, **call_kwargs)
        return layer(given if isinstance(inputs, (list, tuple)) else given[0], **call_kwargs)

    call()
    randomize(layer, rng, scale)
    if prepare is not None:
        prepare(layer)
    weights = saved_weights(layer)
    outputs = call()
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    output_masks = [backend.get_keras_mask(output) for output in outputs]
    serialized = simplified(keras.saving.serialize_keras_object(layer))
    result = {
        "name": name,
        "class_name": serialized["class_name"],
        "config": serialized["config"],
        "inputs": [array(value) for value in flat],
        "weights": weights,
        "variables": [
            {"name": variable.name, "shape": list(variable.shape)}
            for variable in layer.weights
            if "seed" not in variable.path
        ],
        "outputs": [array(output) for output in outputs],
    }
    if any(mask is not None for mask in masks):
        result["masks"] = [None if mask is None else array(mask) for mask in masks]
    if any(mask is not None for mask in output_masks):
        result["output_masks"] = [None if mask is None else array(mask) for mask in output_masks]
    if kwargs:
        result["kwargs"] = {key: tensors(value) for key, value in kwargs.items()}
    if shapes:
        result["output_shapes"] = symbolic_shapes(layer, inputs, flat, kwargs, positional)
    return result


def symbolic_shapes(layer, inputs, flat, kwargs, positional):
    """Shapes that Keras infers when the batch is unknown."""
    def symbol(value):
        dtype = "string" if value.dtype.kind in "OSU" else str(value.dtype)
        return keras.KerasTensor((None, *value.shape[1:]), dtype=dtype)

    arguments = [symbol(value) for value in flat]
    static = {
        key: [symbol(v) for v in value] if isinstance(value, list) else symbol(value)
        if isinstance(value, np.ndarray) else value
        for key, value in kwargs.items()
    }
    if positional:
        outputs = layer(*arguments, **static)
    else:
        outputs = layer(arguments if isinstance(inputs, (list, tuple)) else arguments[0], **static)
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    return [list(output.shape) for output in outputs]


def write(part, name, cases):
    folder = FIXTURES / part
    folder.mkdir(parents=True, exist_ok=True)
    text = ",\n".join(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) for entry in cases)
    (folder / f"{name}.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")
