"""Loads what Hornet saved in several formats into real Keras, or tf_keras, and compares it with Hornet: predictions, weights,
and how a training goes on.

    PYTHON interop/check-saved-formats.py FOLDER keras [NAME ...]
    PYTHON-WITH-TF-KERAS interop/check-saved-formats.py FOLDER tf_keras [NAME ...]

KERAS_BACKEND and PYTHONPATH say which Keras on what. For each FOLDER/NAME.json ({ "inputs", "outputs", "weights", "isHalf",
"keras3Only", "training" }), or those that are named, there are NAME.<format>: whole models (keras, h5), of which predictions
are compared, and weights alone (weights.h5, weights.json, old.h5, safetensors, npz), which are loaded into a model that is
filled with noise, or read by the packages that they come from. Where "training" is { "x", "y", "losses", "steps" } there are
NAME.trained.<format> as well, with the state of an optimizer: the judge goes on, saves that in files of its own, and goes on
again.

The first line is { "judge", "backend" }; then comes one line of JSON for each model and format: { "name", "format" } and

    "lacks"       what the judge does not have, so that it cannot load the model
    "otherwise"   why the judge cannot be asked, though it has the parts; "onJax": whether the same release can be on JAX
    "problem"     what went wrong
    "difference"  the largest of outputs, relative to the largest output when that is above 1
    "single"      where "isHalf": the same, when the judge computes in single precision, as Hornet does
    "arrays"      of weights alone: how many are not the same to the bit
    "training"    the largest difference of losses, relative to the loss when that is above 1
    "back"        the judge's files, by what they end in, and "later", what its next steps cost
"""

import hashlib
import importlib
import json
import os
import pathlib
import re
import shutil
import sys
import warnings
import zipfile

folder, judge, *names = sys.argv[1:]
folder = pathlib.Path(folder)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")
if judge == "arrays":
    import safetensors
    import safetensors.numpy
elif judge == "tf_keras":
    import tf_keras as keras
else:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

import h5py
import numpy as np

if judge == "arrays":
    NAME, BACKEND = f"NumPy {np.__version__}, safetensors {safetensors.__version__}", None
elif judge == "tf_keras":
    NAME, BACKEND = f"tf_keras {keras.__version__}", "tensorflow"
else:
    NAME, BACKEND = f"Keras {keras.__version__}", keras.backend.backend()
    VERSION = tuple(int(part) for part in keras.__version__.split("."))
    HAS_SHARDS = VERSION >= (3, 10)


# In names of files: others judge in the same folder.
OWN = re.sub(r"\W+", "-", f"{NAME} {BACKEND}")


def hard_sigmoid_keras2(x):
    """The activation of Keras 2, which Keras 3 does not have."""
    if judge == "tf_keras":
        return keras.activations.hard_sigmoid(x)
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def load(path, compile=False):
    model = keras.models.load_model(path, compile=compile, custom_objects={"hard_sigmoid_keras2": hard_sigmoid_keras2})
    # TensorFlow takes seconds to compile what takes it milliseconds to compute; JAX is the other way round.
    if compile and BACKEND == "tensorflow":
        model.run_eagerly = True
    return model


def flatten(value):
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flatten(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in flatten(part)]
    return [np.asarray(value)]


def array_of(stored):
    data = [float("nan") if value is None else value for value in stored["data"]]
    return np.asarray(data, stored["dtype"]).reshape(stored["shape"])


def arrays_of(stored):
    arrays = [array_of(one) for one in stored]
    return arrays if len(arrays) > 1 else arrays[0]


def difference(model, case):
    found = flatten(model(arrays_of(case["inputs"]), training=False))
    assert len(found) == len(case["outputs"]), (len(found), len(case["outputs"]))
    worst = 0.0
    for array, expected in zip(found, case["outputs"]):
        values = array_of({**expected, "dtype": "float64"})
        array = array.astype("float64")
        assert array.shape == values.shape, (array.shape, values.shape)
        assert np.array_equal(np.isnan(array), np.isnan(values))
        scale = max(1.0, float(np.nanmax(np.abs(values), initial=0)))
        worst = max(worst, float(np.nanmax(np.abs(array - values), initial=0)) / scale)
    return worst


def fill_with_noise(model):
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(size=value.shape).astype(value.dtype) for value in model.get_weights()])


def reloaded_arrays(model, path, expected, **options):
    """How many weights are not the expected ones after they came from a file."""
    fill_with_noise(model)
    model.load_weights(path, **options)
    return sum(not np.array_equal(a, b, equal_nan=True) for a, b in zip(model.get_weights(), expected, strict=True))


def differing_arrays(arrays, case):
    """How many arrays are not those that Hornet had."""
    found = {name: hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest() for name, a in arrays.items()}
    expected = case["weights"]
    return len(set(found) ^ set(expected)) + sum(found.get(name) != digest for name, digest in expected.items())


def read_arrays(path, ending):
    if ending == "npz":
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    return safetensors.numpy.load_file(path)


def train(model, training):
    losses = []
    for _ in range(training["steps"]):
        model.reset_metrics()
        found = model.train_on_batch(arrays_of(training["x"]), arrays_of(training["y"]), return_dict=True)
        losses.append(float(found["loss"]))
    if not np.isfinite(losses).all():
        raise ValueError(f"losses that are no numbers: {losses}")
    return losses


def distance(found, expected):
    return max(abs(a - b) / max(1, abs(b)) for a, b in zip(found, expected, strict=True))


def missing_classes(value):
    """Names of Keras' own classes in a configuration that this Keras does not have."""
    if isinstance(value, list):
        return set().union(*[missing_classes(part) for part in value])
    if not isinstance(value, dict):
        return set()
    found = set().union(*[missing_classes(part) for part in value.values()])
    name, module = value.get("class_name"), value.get("module")
    if isinstance(name, str) and isinstance(module, str) and value.get("registered_name") is None:
        try:
            holder = importlib.import_module(module)
        except ImportError:
            return found
        if module.startswith("keras.") and not hasattr(holder, name):
            found.add(name)
    return found


def in_single_precision(stem, ending):
    """A copy of a model's file, whose layers compute in single precision."""
    path, copy = f"{stem}.{ending}", f"{stem}.single.{ending}"
    shutil.copy(path, copy)
    widen = lambda text: re.sub(r'"(?:mixed_)?b?float16"', '"float32"', text)
    if path.endswith(".h5"):
        with h5py.File(copy, "r+") as file:
            text = file.attrs["model_config"]
            file.attrs["model_config"] = widen(text if isinstance(text, str) else text.decode())
        return copy
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, widen(content.decode()) if name == "config.json" else content)
    return copy


def whole_model(stem, ending, case, model=None):
    row = {"difference": difference(model or load(f"{stem}.{ending}"), case)}
    return {**row, "single": difference(load(in_single_precision(stem, ending)), case)} if case["isHalf"] else row


def go_on(model, stem, training, endings):
    """Trains on, saves, trains on."""
    row = {"training": distance(train(model, training), training["losses"])}
    back = {}
    for ending in endings:
        save = model.save_weights if "weights" in ending else model.save
        path = f"{stem}.of-{OWN}.{ending}"
        try:
            save(path)
            back[ending] = path
        except ValueError as error:
            # Names that are there twice, of which Keras says nothing in files of its own form.
            if "name already exists" not in str(error):
                raise
    return {**row, "back": back, "later": train(model, training)}


class Otherwise(Exception):
    """Why a judge cannot be asked, and whether it can be on JAX."""

    def __init__(self, reason, on_jax=False):
        super().__init__(reason)
        self.on_jax = on_jax


def refuse_other_steps(model):
    """Of these judges' own steps, which are not those of Keras elsewhere."""
    is_sgd = type(model.optimizer).__name__ == "SGD"
    if VERSION < (3, 0, 2) and is_sgd and getattr(model.optimizer, "momentum", 0):
        raise Otherwise("Keras 3.0.0 and 3.0.1 take steps of SGD with momentum that are those of no other release")
    layers = list(model._flatten_layers())
    names = {type(layer).__name__ for layer in layers}
    if VERSION < (3, 1) and any(getattr(layer, "output_mode", None) == "one_hot" for layer in layers):
        raise Otherwise("its one-hot encodings have an axis more, over which a loss is spread")
    if names & {"BatchNormalization", "LayerNormalization", "GroupNormalization"} and mean_is_constant():
        raise Otherwise("the mean in its variances has no gradient")
    if BACKEND == "tensorflow" and "Embedding" in names and not is_sgd:
        raise Otherwise("on TensorFlow it squares each lookup's part of a gradient, not their sum", on_jax=True)


def mean_is_constant():
    """Of the gradients of a variance, which add up to nought otherwise."""
    variance_of = lambda x: keras.ops.moments(x, axes=[0])[1]
    values = np.asarray([1.0, 2.0, 4.0], "float32")
    if BACKEND == "jax":
        import jax

        return abs(float(jax.grad(variance_of)(values).sum())) > 1e-3
    import tensorflow

    x = tensorflow.constant(values)
    with tensorflow.GradientTape() as tape:
        tape.watch(x)
        variance = variance_of(x)
    return abs(float(tensorflow.reduce_sum(tape.gradient(variance, x)))) > 1e-3


def checks_of_keras(stem, case):
    """What is checked, by format; each check is a function that gives a row."""
    state = {}
    training = case["training"]

    def keras_file():
        state["model"] = load(f"{stem}.keras")
        state["weights"] = state["model"].get_weights()
        return whole_model(stem, "keras", case, state["model"])

    def loaded(key):
        if key not in state:
            raise Otherwise("its .keras was not loaded")
        return state[key]

    def weights_alone(ending):
        return {"arrays": reloaded_arrays(loaded("model"), f"{stem}.{ending}", state["weights"])}

    def trained_file():
        state["trained"] = load(f"{stem}.trained.keras", compile=True)
        refuse_other_steps(state["trained"])
        return go_on(state["trained"], stem, training, ["keras", "weights.h5", "h5"])

    def trained_weights(ending):
        refuse_other_steps(loaded("trained"))
        state["trained"].load_weights(f"{stem}.trained.{ending}")
        return {"training": distance(train(state["trained"], training), training["losses"])}

    yield "keras", keras_file
    yield "h5", lambda: whole_model(stem, "h5", case)
    sharded = ["weights.json"] if HAS_SHARDS else []
    for ending in ["weights.h5", *sharded, "old.h5"]:
        yield ending, lambda ending=ending: weights_alone(ending)
    if training is not None:
        yield "trained.keras", trained_file
        for ending in ["weights.h5", *sharded]:
            yield f"trained.{ending}", lambda ending=ending: trained_weights(ending)


def checks_of_tf_keras(stem, case):
    state = {}

    def model_file(ending):
        model = load(f"{stem}.{ending}")
        state.update(model=model, weights=model.get_weights())
        return whole_model(stem, ending, case, model)

    def weights_alone(**options):
        return {"arrays": reloaded_arrays(state["model"], f"{stem}.old.h5", state["weights"], **options)}

    if not case["keras3Only"]:
        yield "h5", lambda: model_file("h5")
    yield "keras2.h5", lambda: model_file("keras2.h5")
    yield "old.h5", weights_alone
    yield "old.h5 by name", lambda: weights_alone(by_name=True)
    if case["training"] is not None:
        yield "trained.keras2.h5", lambda: go_on(
            load(f"{stem}.trained.keras2.h5", compile=True), stem, case["training"], ["h5", "keras"]
        )


def rows_of(stem, case):
    if judge == "tf_keras":
        checks = list(checks_of_tf_keras(stem, case))
        lacks = "; ".join(case["keras3Only"])
        if lacks:
            yield {"format": "h5", "lacks": lacks}
        if not pathlib.Path(f"{stem}.keras2.h5").exists():
            yield from ({"format": ending, "lacks": lacks} for ending, _ in checks)
            return
    else:
        checks = list(checks_of_keras(stem, case))
        with zipfile.ZipFile(f"{stem}.keras") as archive:
            missing = missing_classes(json.loads(archive.read("config.json")))
        if missing:
            yield from ({"format": ending, "lacks": ", ".join(sorted(missing))} for ending, _ in checks)
            return
    for ending, check in checks:
        try:
            yield {"format": ending, **check()}
        except Otherwise as reason:
            yield {"format": ending, "otherwise": str(reason), "onJax": reason.on_jax}
        except Exception as error:  # Whatever it is, it is told.
            said = f"{type(error).__name__}: {error}"
            yield {"format": ending, "problem": said if len(said) < 1200 else f"{said[:600]} … {said[-600:]}"}


def rows_of_arrays(stem, case):
    for ending in ["npz", "safetensors"]:
        yield {"format": ending, "arrays": differing_arrays(read_arrays(f"{stem}.{ending}", ending), case)}


def main():
    print(json.dumps({"judge": NAME, "backend": BACKEND}), flush=True)
    for path in sorted(folder.glob("*.json")):
        if not path.stem.isdigit() or names and path.stem not in names:
            continue
        case = json.loads(path.read_text())
        stem = str(path.with_suffix(""))
        for row in rows_of_arrays(stem, case) if judge == "arrays" else rows_of(stem, case):
            print(json.dumps({"name": path.stem, **row}), flush=True)
        if judge != "arrays":
            keras.backend.clear_session()


main()
