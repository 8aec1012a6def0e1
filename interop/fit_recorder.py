"""Trainings recorded with Keras on JAX: initial weights, samples, the logs of every step, final weights."""

import base64
import json
import sys
from pathlib import Path

import keras
import numpy as np

TARGET = Path(__file__).parent.parent / "test" / "fixtures" / "fit"
ROWS, BATCH, EPOCHS = 44, 12, 13

# Names of trainings as arguments record those alone.
ONLY = sys.argv[1:]


def array(value):
    value = np.asarray(value)
    value = value.astype("int32" if value.dtype.kind in "iu" else "float32")
    return {
        "shape": list(value.shape),
        "dtype": str(value.dtype),
        "data": base64.b64encode(value.tobytes()).decode(),
    }


def structure(value):
    if value is None:
        return None
    if isinstance(value, dict):
        return {"byName": {key: array(one) for key, one in value.items()}}
    if isinstance(value, list):
        return {"list": [array(one) for one in value]}
    return array(value)


def camel(key):
    head, *tail = key.split("_")
    return head + "".join(part.capitalize() for part in tail)


def optimizer_of(name, config):
    """An optimizer, and how the fixture has it. Inner optimizers are pairs, a map of them is a pair of these."""

    def build(key, value):
        if key == "inner_optimizer":
            inner, stored = optimizer_of(*value)
            return inner, {"optimizer": stored["className"], "config": stored["config"]}
        if key == "optimizer_map":
            default, several = value
            first, stored = build("inner_optimizer", default)
            built = {pattern: build("inner_optimizer", one) for pattern, one in several.items()}
            whole = keras.optimizers.OptimizerMap(first, {pattern: one for pattern, (one, _) in built.items()})
            return whole, {"default": stored, "optimizers": {pattern: one for pattern, (_, one) in built.items()}}
        if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
            inner = {camel(k): v for k, v in value.get_config().items()}
            return value, {"schedule": type(value).__name__, "config": inner}
        return value, value

    built = {key: build(key, value) for key, value in config.items()}
    stored = {"className": name, "config": {camel(key): one for key, (_, one) in built.items()}}
    return getattr(keras.optimizers, name)(**{key: value for key, (value, _) in built.items()}), stored


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.steps = []
        self.epochs = []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append({key: float(value) for key, value in logs.items()})

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append({key: float(value) for key, value in logs.items()})


def record(name, model, x, y, optimizer, compile_options, fit_options=None):
    if ONLY and name not in ONLY:
        return
    fit_options = {"epochs": EPOCHS, **(fit_options or {})}
    for variable in model.weights:
        if "moving" in variable.path or "bias" in variable.path:
            rng = np.random.default_rng(len(variable.path))
            offset = 1.0 if "variance" in variable.path else 0.0
            variable.assign(offset + np.abs(rng.normal(size=variable.shape)) * 0.2)
    instance, stored = optimizer_of(*optimizer)
    topology = json.loads(model.to_json())
    topology.pop("compile_config", None)
    initial = [array(weight) for weight in model.get_weights()]
    model.compile(optimizer=instance, **compile_options)
    recorder = Recorder()
    model.fit(
        x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[recorder], **fit_options
    )
    options = {camel(key): value for key, value in compile_options.items()}
    arguments = {
        camel(key): structure(value) if key == "sample_weight" else value for key, value in fit_options.items()
    }
    data = {
        "name": name,
        "topology": topology,
        "optimizer": stored,
        "compile": options,
        "fit": {"batchSize": BATCH, **arguments},
        "x": structure(x),
        "y": structure(y),
        "initial": initial,
        "final": [array(weight) for weight in model.get_weights()],
        "steps": recorder.steps,
        "epochs": recorder.epochs,
        "evaluated": {
            key: float(value)
            for key, value in model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True).items()
        },
    }
    TARGET.mkdir(parents=True, exist_ok=True)
    path = TARGET / f"{name}.json"
    assert len(recorder.steps) >= 50, name
    path.write_text(json.dumps(data, separators=(",", ":")) + "\n")
    print(name, path.stat().st_size, recorder.steps[0], recorder.steps[-1])


def rng_for(name):
    seed = sum(ord(letter) * (index + 1) for index, letter in enumerate(name))
    keras.utils.set_random_seed(seed)
    return np.random.default_rng(seed)


def vectors(rng, *shape):
    return np.round(rng.normal(size=(ROWS, *shape)), 3).astype("float32")


def classes(rng, count):
    return rng.integers(0, count, size=(ROWS,)).astype("int32")
