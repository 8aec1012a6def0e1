"""Writes test/fixtures/formats: small files of every format, and layouts that only old releases wrote.

Run from the repository root:  KERAS_BACKEND=jax interop/.venv/bin/python interop/make-format-fixtures.py
Pinned: the versions of requirements.txt (keras 3.15.1, h5py 3.16.0). Seeded; a second run differs in dates alone.

`values.json` holds what the arrays of a file are: { "file": { "name of the weight": [elements, flat] } }.
"""

import gzip
import json
import os
import pathlib
import shutil
import zipfile

os.environ["KERAS_BACKEND"] = "jax"

import h5py
import keras
import numpy as np

assert keras.__version__ == "3.15.1", keras.__version__
assert h5py.__version__ == "3.16.0", h5py.__version__

FOLDER = pathlib.Path("test/fixtures/formats")
VALUES = {}


def values(file, arrays):
    VALUES[file] = {name: np.asarray(array, np.float64).ravel().tolist() for name, array in arrays.items()}


def trained_model():
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((3,), name="start"),
            keras.layers.Dense(4, activation="relu", name="hidden"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(2, name="answer"),
        ],
        name="tiny",
    )
    model.compile(optimizer="adam", loss="mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
    return model


def deflated(source, target):
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in archive.namelist():
            packed.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), archive.read(name), zipfile.ZIP_DEFLATED)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    model = trained_model()
    by_path = {w.path: w for w in model.weights}
    for name in ["tiny.keras", "tiny.h5", "tiny.weights.h5"]:
        if name.endswith("weights.h5"):
            model.save_weights(FOLDER / name)
        else:
            model.save(FOLDER / name)
        values(name, by_path)
    model.save_weights(FOLDER / "sharded.weights.json", max_shard_size=2e-7)
    values("sharded.weights.json", by_path)
    deflated(FOLDER / "tiny.keras", FOLDER / "deflated.keras")
    values("deflated.keras", by_path)

    # Keras 0.x: groups and arrays by number.
    arrays = {f"layer_{i}/param_{j}": np.arange(6, dtype="float32").reshape(2, 3) + 10 * i + j for i in (0, 2) for j in (0, 1)}
    with h5py.File(FOLDER / "numbered.h5", "w") as file:
        file.attrs["nb_layers"] = 3
        for layer in range(3):
            group = file.create_group(f"layer_{layer}")
            own = {name: array for name, array in arrays.items() if name.startswith(f"layer_{layer}/")}
            group.attrs["nb_params"] = len(own)
            for name, array in own.items():
                file[name] = array
    values("numbered.h5", arrays)

    # Lists of names in pieces, as bytes of fixed length, and every element type.
    types = ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"]
    with h5py.File(FOLDER / "dtypes.h5", "w") as file:
        file.attrs["layer_names0"] = np.array([b"first", b"second\0"])
        file.attrs["layer_names1"] = np.array([b"third"])
        for layer, names in {"first": types[:4], "second": types[4:], "third": []}.items():
            group = file.create_group(layer)
            group.attrs["weight_names0"] = np.array([name.encode() for name in names[:2]]) if names else np.array([])
            if len(names) > 2:
                group.attrs["weight_names1"] = np.array([name.encode() for name in names[2:]])
            for name in names:
                group[name] = np.array([0, 1, 1, 0] if name == "bool" else [0, 1, 2, 100], name).reshape(2, 2)
        file["second"]["beyond"] = np.array([2**31], "int64")
    values("dtypes.h5", {name: [0, 1, 1, 0] if name == "bool" else [0, 1, 2, 100] for name in types})

    # tf.keras 2.13's name for the list of layers, separators of Windows, states of metrics, two optimizers in one.
    with h5py.File(FOLDER / "old-paths.weights.h5", "w") as file:
        file["_layer_checkpoint_dependencies\\dense\\vars/0"] = np.arange(3, dtype="float32")
        file["_layer_checkpoint_dependencies/dense_1/vars/0"] = np.arange(4, dtype="float32")
        file["metrics/mean/vars/0"] = np.float32(5)
        for index in range(12):
            file[f"optimizer/vars/{index}"] = np.float32(index)
            file[f"optimizer/inner_optimizer/vars/{index}"] = np.float32(-index)
        file.create_group("vars")

    # A hundred layers whose weights are large beside all else. Constant, so that they pack to next to nothing.
    deep = keras.Sequential([keras.Input((192,)), *[keras.layers.Dense(192, name=f"step_{i}") for i in range(100)]])
    for index, layer in enumerate(deep.layers):
        layer.set_weights([np.full((192, 192), index), np.full(192, -index)])
    for name in ["deep.keras", "deep.h5"]:
        deep.save(FOLDER / name)
        (FOLDER / f"{name}.gz").write_bytes(gzip.compress((FOLDER / name).read_bytes(), mtime=0))
        (FOLDER / name).unlink()

    (FOLDER / "values.json").write_text(json.dumps(VALUES) + "\n")


main()
