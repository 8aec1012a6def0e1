"""Says whether Keras 3 trains on from an .h5 of its own, and from one that Hornet saved.

    PYTHON interop/check-legacy-training.py FOLDER keras

Keras saves a model in training as FOLDER/own.h5 and loads it; FOLDER/hornet.h5 is a compiled model of three inputs and
two outputs. Prints { "judge", "backend" }, and { "own", "ours" }: what three steps cost, or what Keras fails with.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

folder = pathlib.Path(sys.argv[1])
x, y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")


def train(model):
    return [float(model.train_on_batch(x, y)) for _ in range(3)]


def train_on_from(path):
    try:
        return train(keras.models.load_model(path))
    except Exception as error:
        return f"{type(error).__name__}: {error}"[-600:]


model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
model.compile("adam", "mean_squared_error")
train(model)
model.save(folder / "own.h5")
print(json.dumps({"judge": f"Keras {keras.__version__}", "backend": keras.backend.backend()}))
print(json.dumps({"own": train_on_from(folder / "own.h5"), "ours": train_on_from(folder / "hornet.h5")}))
