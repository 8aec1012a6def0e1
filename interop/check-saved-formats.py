"""Loads what Hornet saved in several formats into real Keras, or tf_keras, and compares predictions with Hornet's.

    interop/.venv/bin/python interop/check-saved-formats.py FOLDER keras
    PYTHON-WITH-TENSORFLOW interop/check-saved-formats.py FOLDER tf_keras

For each FOLDER/NAME.json ({ "inputs", "outputs", "weights", "formats" }) there are NAME.h5 and, as far as "formats" says,
NAME.old.h5 (weights alone), NAME.weights.json, NAME.safetensors and NAME.npz. The model is made from the first; the
others are loaded into it when it is filled with noise, the last two read by the packages that they come from. Prints one
line of JSON for each model: { "name", "problem" } or { "name", "h5": largest difference of outputs, relative to the largest
output when that is above 1, and for each other format how many arrays are not the same to the bit }.
"""

import hashlib
import json
import os
import pathlib
import sys
import warnings

folder, judge = pathlib.Path(sys.argv[1]), sys.argv[2]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")
if judge == "tf_keras":
    import tf_keras as keras
else:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

import numpy as np


def hard_sigmoid_keras2(x):
    """The activation of Keras 2, which Keras 3 does not have."""
    if judge == "tf_keras":
        return keras.activations.hard_sigmoid(x)
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def flatten(value):
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flatten(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in flatten(part)]
    return [np.asarray(value)]


def difference(model, case):
    inputs = [np.asarray(i["data"], i["dtype"]).reshape(i["shape"]) for i in case["inputs"]]
    found = flatten(model(inputs if len(inputs) > 1 else inputs[0], training=False))
    assert len(found) == len(case["outputs"]), (len(found), len(case["outputs"]))
    worst = 0.0
    for array, expected in zip(found, case["outputs"]):
        data = [float("nan") if value is None else value for value in expected["data"]]
        values = np.asarray(data, "float64").reshape(expected["shape"])
        array = array.astype("float64")
        assert array.shape == values.shape, (array.shape, values.shape)
        assert np.array_equal(np.isnan(array), np.isnan(values))
        scale = max(1.0, float(np.nanmax(np.abs(values), initial=0)))
        worst = max(worst, float(np.nanmax(np.abs(array - values), initial=0)) / scale)
    return worst


def fill_with_noise(model):
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(size=value.shape).astype(value.dtype) for value in model.get_weights()])


def differing_arrays(arrays, case):
    """How many arrays are not those that Hornet had, to the bit."""
    found = {name: hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest() for name, a in arrays.items()}
    expected = case["weights"]
    return len(set(found) ^ set(expected)) + sum(found.get(name) != digest for name, digest in expected.items())


def check(path, case):
    model = keras.models.load_model(
        path.with_suffix(".h5"), compile=False, custom_objects={"hard_sigmoid_keras2": hard_sigmoid_keras2}
    )
    row = {"h5": difference(model, case)}
    stem = str(path.with_suffix(""))
    expected = model.get_weights()
    ways = [("old.h5", {})]
    ways += [("old.h5", {"by_name": True})] if judge == "tf_keras" else [("weights.json", {})]
    for ending, options in ways:
        if ending not in case["formats"]:
            continue
        fill_with_noise(model)
        model.load_weights(f"{stem}.{ending}", **options)
        pairs = zip(model.get_weights(), expected, strict=True)
        row[f"{ending}{' by name' if options else ''}"] = sum(not np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    if judge == "keras" and "npz" in case["formats"]:
        with np.load(f"{stem}.npz", allow_pickle=False) as arrays:
            row["npz"] = differing_arrays(dict(arrays), case)
    if judge == "keras" and "safetensors" in case["formats"]:
        from safetensors.numpy import load_file

        row["safetensors"] = differing_arrays(load_file(f"{stem}.safetensors"), case)
    return row


for path in sorted(folder.glob("*.json")):
    if path.name.endswith(".weights.json"):
        continue
    case = json.loads(path.read_text())
    if judge == "tf_keras" and case["keras3Only"]:
        continue
    try:
        row = check(path, case)
    except Exception as error:  # Whatever it is, it is told.
        row = {"problem": f"{type(error).__name__}: {error}"[-400:]}
    print(json.dumps({"name": path.stem, **row}), flush=True)
    keras.backend.clear_session()
