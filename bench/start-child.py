"""A process that predicts with MobileNetV2 as soon as it can: `python start-child.py BACKEND MODEL INPUT`.

Prints a line when it has the first answer.
"""

import os
import sys

backend, file, input_file = sys.argv[1:]
os.environ["KERAS_BACKEND"] = backend
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

model = keras.models.load_model(file, compile=False)
output = model.predict(np.fromfile(input_file, "float32").reshape((1, 224, 224, 3)), verbose=0)
assert np.isfinite(output).all()
print("first", flush=True)
