"""Loads models that Hornet saved into real Keras and compares their predictions with Hornet's.

    KERAS_BACKEND=jax interop/.venv/bin/python interop/check-saved-models.py FOLDER keras

For each FOLDER/NAME.json ({ "inputs": [{ "shape", "dtype", "data" }], "outputs": [{ "shape", "data" }] }) there are
NAME.keras and NAME.weights.h5. The model is made from the archive, filled with noise, and given the weights of the second
file. The first line is { "judge", "backend" }; then comes one line of JSON for each: { "name", "keras", "weights" }, the
largest differences, relative where an output is larger than 1.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np


def difference(model, case):
    inputs = [np.asarray(i["data"], i["dtype"]).reshape(i["shape"]) for i in case["inputs"]]
    found = keras.tree.flatten(model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0]))
    assert len(found) == len(case["outputs"]), (len(found), len(case["outputs"]))
    worst = 0.0
    for array, expected in zip(found, case["outputs"]):
        values = np.asarray(expected["data"], "float64").reshape(expected["shape"])
        assert array.shape == values.shape, (array.shape, values.shape)
        worst = max(worst, float(np.max(np.abs(array - values) / np.maximum(1, np.abs(values)), initial=0)))
    return worst


print(json.dumps({"judge": f"Keras {keras.__version__}", "backend": keras.backend.backend()}), flush=True)
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    case = json.loads(path.read_text())
    model = keras.models.load_model(path.with_suffix(".keras"))
    row = {"name": path.stem, "keras": difference(model, case)}
    generator = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(generator.normal(size=weight.shape).astype(weight.dtype))
    model.load_weights(path.with_name(path.stem + ".weights.h5"))
    row["weights"] = difference(model, case)
    print(json.dumps(row), flush=True)
