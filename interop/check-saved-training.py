"""Goes on with trainings that Hornet saved, in real Keras, and compares what the next steps cost.

    KERAS_BACKEND=jax interop/.venv/bin/python interop/check-saved-training.py FOLDER keras

For each FOLDER/NAME.json ({ "x": [{ "shape", "data" }], "y": […], "losses": […] }) there are NAME.keras and
NAME.weights.h5. The first is trained as it is loaded. Into the second copy of it, trained for some steps, come the weights
and the state of the optimizer from the second file. The first line is { "judge", "backend" }; then comes one line of JSON for
each: { "name", "keras", "weights" }, the largest differences of losses, relative where a loss is larger than 1; of what Keras
fails with, { "name", "fails" }.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np


def arrays(tensors):
    found = [np.asarray(t["data"], "float32").reshape(t["shape"]) for t in tensors]
    return found if len(found) > 1 else found[0]


def train(model, case, steps):
    losses = []
    for _ in range(steps):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(arrays(case["x"]), arrays(case["y"]), return_dict=True)["loss"]))
    return losses


def difference(found, expected):
    return max(abs(a - b) / max(1, abs(b)) for a, b in zip(found, expected, strict=True))


def check(path, case):
    if not hasattr(keras.optimizers, case["optimizer"]):
        return {"fails": f"Keras {keras.__version__} has no {case['optimizer']}"}
    steps = len(case["losses"])
    try:
        model = keras.models.load_model(path.with_suffix(".keras"))
        row = {"keras": difference(train(model, case, steps), case["losses"])}
        model.load_weights(path.with_name(path.stem + ".weights.h5"))
        return {**row, "weights": difference(train(model, case, steps), case["losses"])}
    except Exception as error:
        return {"fails": str(error)}


print(json.dumps({"judge": f"Keras {keras.__version__}", "backend": keras.backend.backend()}), flush=True)
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    print(json.dumps({"name": path.stem, **check(path, json.loads(path.read_text()))}), flush=True)
