"""Writes test/fixtures/applications: what keras.applications builds and computes.

    make-application-fixtures.py              the fixtures
    make-application-fixtures.py FOLDER       models of real widths with weights and answers, for test/interop

Run from the repository root with interop/.venv/bin/python. Seeded. Versions: keras==3.15.1 jax==0.10.2 h5py==3.16.0

Fixtures:
- `architectures.json.gz`: for each case the function, its arguments, and of the model the name, the configuration as
  `to_json` gives it, and the paths and shapes of the weights in their order.
- `NAME.h5.gz`, in the legacy format of the files that Keras downloads, and `NAME.weights.h5.gz`. All weights are half
  floats, and most lie on a coarse grid, so that they pack well.
- `NAME.json`: function, arguments, inputs and outputs. Keras loads the written file before it answers.
- `preprocessing.json`, `predictions.json`: the functions before and after a model.
"""

import gzip
import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import h5py
import keras
import numpy as np
from keras.src.applications import imagenet_utils
from keras.src.legacy.saving import legacy_h5_format

assert keras.__version__ == "3.15.1", keras.__version__

FOLDER = pathlib.Path("test/fixtures/applications")
FUNCTIONS = {
    "mobileNet": keras.applications.MobileNet,
    "mobileNetV2": keras.applications.MobileNetV2,
    "resNet50": keras.applications.ResNet50,
}

ARCHITECTURES = [
    ("mobileNet", {}),
    ("mobileNet", dict(include_top=False)),
    ("mobileNet", dict(include_top=False, pooling="max", alpha=0.25, input_shape=(128, 160, 1))),
    ("mobileNet", dict(alpha=0.75, depth_multiplier=2, dropout=0.25, classes=7, input_shape=(128, 128, 3), classifier_activation=None)),
    ("mobileNetV2", {}),
    ("mobileNetV2", dict(include_top=False)),
    ("mobileNetV2", dict(include_top=False, pooling="max", alpha=0.35, input_shape=(96, 75, 3))),
    ("mobileNetV2", dict(alpha=1.3, classes=7, input_shape=(160, 160, 3), classifier_activation="sigmoid")),
    ("mobileNetV2", dict(alpha=1.4, include_top=False, pooling="avg", name="base")),
    ("resNet50", {}),
    ("resNet50", dict(include_top=False)),
    ("resNet50", dict(include_top=False, pooling="avg", input_shape=(64, 64, 3))),
    ("resNet50", dict(include_top=False, pooling="max", input_shape=(None, None, 4), name="base")),
    ("resNet50", dict(classes=7, input_shape=(32, 32, 3), classifier_activation=None)),
]

# name, function, arguments, format of the weights
SMALL = [
    ("mobile-net", "mobileNet", dict(alpha=0.25, input_shape=(32, 32, 3), classes=5), "h5"),
    ("mobile-net-multiplied", "mobileNet", dict(alpha=0.125, depth_multiplier=2, input_shape=(40, 33, 3), include_top=False, pooling="max"), "weights.h5"),
    ("mobile-net-v2", "mobileNetV2", dict(alpha=0.35, input_shape=(32, 32, 3), classes=5), "weights.h5"),
    ("mobile-net-v2-odd", "mobileNetV2", dict(alpha=0.05, input_shape=(35, 45, 1), include_top=False), "h5"),
]

LARGE = [
    ("mobile-net", "mobileNet", dict(input_shape=(96, 96, 3))),
    ("mobile-net-v2", "mobileNetV2", dict(input_shape=(96, 96, 3))),
    ("res-net", "resNet50", dict(input_shape=(64, 64, 3))),
    ("res-net-features", "resNet50", dict(input_shape=(75, 70, 3), include_top=False)),
]


def build(function, arguments):
    keras.utils.clear_session()
    return FUNCTIONS[function](weights=None, **arguments)


def architecture(function, arguments):
    model = build(function, arguments)
    return {
        "function": function,
        "arguments": arguments,
        "name": model.name,
        "config": json.loads(model.to_json()),
        "weights": [[weight.path, list(weight.shape)] for weight in model.weights],
    }


def images(generator, count, shape):
    """Fields of colour with some noise: pure noise looks the same everywhere once it has been averaged."""
    height, width, channels = shape
    fields = generator.integers(-48, 49, (count, 4, 4, channels))
    fields = fields.repeat(-(-height // 4), axis=1)[:, :height].repeat(-(-width // 4), axis=2)[:, :, :width]
    return ((fields + generator.integers(-16, 17, fields.shape)) / 64).astype("float32")


def on_grid(values, steps):
    """Half floats of few distinct values."""
    unit = 2.0 ** np.ceil(np.log2(np.abs(values).max() / steps)) if values.any() else 1.0
    return (np.round(values / unit) * unit).astype("float16").astype("float32")


def fill(model, generator):
    """Random weights under which a signal goes through; statistics near those of some images, but not the same."""
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for weight in model.weights:
        shape, name = weight.shape, weight.name
        if name == "kernel":
            fan_in = np.prod(shape[:2] if "dw" in weight.path or "depthwise" in weight.path else shape[:-1])
            values = generator.normal(size=shape) * np.sqrt(2 / fan_in)
            weight.assign(on_grid(np.clip(values, -3 * values.std(), 3 * values.std()), 5))
        elif name == "gamma":
            # Fifty layers double a rounding again and again, unless the branches beside the shortcuts are quiet.
            low, high = (2, 6) if "_3_bn" in weight.path else (12, 22)
            weight.assign(generator.integers(low, high, shape) / 16)
        elif name in ("beta", "bias"):
            weight.assign(generator.integers(-4, 5, shape) / 16)
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    model(images(generator, 16, model.input_shape[1:]), training=True)
    for layer, momentum in zip(normalizations, momenta):
        layer.momentum = momentum
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        deviation = np.sqrt(variance + 1e-3)
        layer.moving_mean.assign(on_grid(mean + 0.1 * deviation * generator.normal(size=mean.shape), 16))
        factor = generator.uniform(0.7, 1.4, variance.shape)
        # A channel that hardly varies would be blown up, and the rounding of its numbers with it.
        floor = np.maximum(np.median(variance), mean**2 / 4)
        spread = np.maximum(variance, floor) * factor
        layer.moving_variance.assign(np.maximum(spread.astype("float16").astype("float32"), 2.0**-12))


def save(model, path):
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)


def pack(path):
    """Keras' file as it is, but zipped; what Keras leaves empty takes nothing then."""
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()
    return packed


def answer(function, arguments, files, generator):
    """What Keras says after it has loaded the file."""
    inputs = images(generator, 2, arguments["input_shape"])
    outputs = []
    for file in files:
        model = build(function, arguments)
        model.load_weights(file)
        outputs.append(np.asarray(model(inputs, training=False)))
        assert (outputs[0] == outputs[-1]).all(), file
    check_telling(outputs[0])
    return {
        "function": function,
        "arguments": arguments,
        "inputs": [list(inputs.shape), (inputs * 64).astype(int).ravel().tolist()],
        "outputs": [list(outputs[0].shape), [float(f"{value:.7g}") for value in outputs[0].ravel()]],
    }


def check_telling(outputs):
    """Refuses answers that a wrong model could give, too."""
    assert np.isfinite(outputs).all()
    assert outputs.max() < 1e3, outputs.max()
    flat = outputs.reshape(len(outputs), -1)
    assert np.abs(flat[0] - flat[1]).max() > 0.05 * np.abs(flat).max(), "the samples hardly differ"
    if outputs.ndim == 2 and np.allclose(outputs.sum(-1), 1):
        assert outputs.max() < 0.95, outputs.max()


def make_models(folder, cases, packed):
    for name, function, arguments, *formats in cases:
        generator = np.random.default_rng(sum(name.encode()))
        model = build(function, arguments)
        fill(model, generator)
        files = [folder / f"{name}.{suffix}" for suffix in formats or ["h5", "weights.h5"]]
        for file in files:
            save(model, file)
        record = answer(function, arguments, files, generator)
        (folder / f"{name}.json").write_text(json.dumps(record) + "\n")
        print(name, model.count_params(), [(pack(file) if packed else file).stat().st_size for file in files])


def make_preprocessing(generator):
    cases = []
    for mode in ["tf", "caffe", "torch"]:
        for data_format, shape in [("channels_last", (2, 2, 4, 3)), ("channels_last", (3, 2, 3)), ("channels_first", (2, 3, 2, 3)), ("channels_first", (3, 2, 2))]:
            pixels = generator.integers(0, 256, shape)
            prepared = imagenet_utils.preprocess_input(pixels.astype("float32"), data_format=data_format, mode=mode)
            cases.append(
                {
                    "mode": mode,
                    "dataFormat": data_format,
                    "shape": list(shape),
                    "pixels": pixels.ravel().tolist(),
                    "prepared": [float(value) for value in prepared.ravel()],
                }
            )
    return cases


def make_predictions(generator):
    index = {str(i): [f"n{i:08d}", f"class_{i}"] for i in range(1000)}
    imagenet_utils.CLASS_INDEX = index
    scores = generator.permutation(3000).reshape(3, 1000).astype("float32") / 4096
    found = imagenet_utils.decode_predictions(scores, top=4)
    return {
        "scores": (scores * 4096).astype(int).ravel().tolist(),
        "top": 4,
        "decoded": [[[name, description, float(score)] for name, description, score in sample] for sample in found],
    }


def main():
    if len(sys.argv) > 1:
        folder = pathlib.Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        make_models(folder, LARGE, False)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps([architecture(*case) for case in ARCHITECTURES], separators=(",", ":"))
    (FOLDER / "architectures.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    make_models(FOLDER, SMALL, True)
    generator = np.random.default_rng(3)
    (FOLDER / "preprocessing.json").write_text(json.dumps(make_preprocessing(generator)) + "\n")
    (FOLDER / "predictions.json").write_text(json.dumps(make_predictions(generator)) + "\n")


main()
