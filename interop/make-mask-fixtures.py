"""Writes test/fixtures/masks/VERSION.json: what one release of Keras predicts with masks around attention and sums.

Releases differ: before 3.4 a sum joined masks otherwise, before 3.8 attention left the masks on its inputs. Run from the
repository root once for each release, whose package comes first on the path:

    pip install --no-deps --target RELEASE keras==3.6.0
    PYTHONPATH=RELEASE interop/.venv/bin/python interop/make-mask-fixtures.py

Recorded: 3.3.3, 3.7.0, 3.8.0 and 3.15.1, on the JAX of requirements.txt. The weights come from a formula, so that a second
run writes the same bytes.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers as L

TARGET = Path(__file__).parent.parent / "test" / "fixtures" / "masks"

inputs, others = L.Input((5,), dtype="int32"), L.Input((5,), dtype="int32")
embedded = L.Embedding(6, 4, mask_zero=True)(inputs)
second = L.Embedding(6, 4, mask_zero=True)(others)
plain = L.Embedding(6, 4)(others)
attended = L.MultiHeadAttention(2, 2)(embedded, embedded)
pool = L.GlobalAveragePooling1D
outputs = [
    pool()(L.Add()([embedded, attended])),
    pool()(embedded),
    pool()(attended),
    pool()(L.Subtract()([second, L.Dense(4)(second)])),
    pool()(L.Add()([second, plain])),
    pool()(L.Average()([second, L.Embedding(6, 4, mask_zero=True)(inputs)])),
]
model = keras.Model([inputs, others], outputs)
for weight in model.weights:
    # Releases order weights differently.
    start = sum(ord(letter) * (index + 1) for index, letter in enumerate(weight.path))
    count = int(np.prod(weight.shape))
    weight.assign(np.sin(np.arange(count) * 1.7 + start).reshape(weight.shape).astype("float32"))
x = [
    np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0], [5, 1, 2, 3, 0]], "int32"),
    np.array([[1, 0, 0, 0, 0], [2, 3, 4, 5, 0], [1, 1, 2, 0, 0]], "int32"),
]
topology = json.loads(model.to_json())
topology.pop("compile_config", None)
data = {
    "version": keras.__version__,
    "topology": topology,
    "weights": [{"shape": list(value.shape), "values": value.ravel().tolist()} for value in model.get_weights()],
    "x": [value.tolist() for value in x],
    "outputs": [np.asarray(value).tolist() for value in model(x)],
}
TARGET.mkdir(parents=True, exist_ok=True)
path = TARGET / f"{keras.__version__}.json"
path.write_text(json.dumps(data, separators=(",", ":")) + "\n")
print(path.name, [round(float(value[0][0]), 4) for value in data["outputs"] for value in [value]])
