"""Writes the models that `npm run bench` measures with into .cache/bench/: real architectures, seeded random weights.

For each NAME: NAME.keras, NAME.h5, NAME/model.json with its shards, NAME-input.bin and NAME-output.bin (float32, what
Keras predicts). The model.json is a layers-model in the configuration of Keras 2, which is the one that TensorFlow.js
reads.

    mobilenet-v2    14 MB    what predictions are timed with
    resnet-50      103 MB    what loads are timed with
    hundred-layers  25 MB    what loads of a part of a model are counted with (no model.json)
    small-resnet   < 1 MB    what a process loads before it is timed: the layer classes of resnet-50, each once
    cifar-cnn        4 MB    what steps of a training are timed with; inputs and outputs are those of a batch of 32
    fine-tuning      9 MB    MobileNetV2 for 96 × 96 pixels, all frozen, with a new head of 5 classes; a batch of 16

What predictions are compared on, besides (.keras and model.json alone):

    matrix-512, matrix-1024    a product of two square matrices, of which the right one is a weight
    convolution-56             3 × 3, 56 × 56 pixels, 64 channels to 64
    mobilenet-v1, efficientnet-b0
    lstm-256                   two layers of 256 units, 100 steps of 256 features, a batch of 16
    transformer-384            six encoder layers, 128 tokens, 6 heads, no model.json: TensorFlow.js has no such layer
    mlp-784, lstm-32           what takes microseconds: 784-128-10, and 32 units over 50 steps

Versions: keras==3.15.1 jax==0.10.2 numpy==2.4.6
Run:      interop/.venv/bin/python interop/make-bench-models.py [NAME …]
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import layers

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "bench"
SHARD_BYTES = 4 << 20
SEED = 7


def randomize(model, seed):
    """Weights for which a signal neither dies nor explodes on its way through the network."""
    generator = np.random.default_rng(seed)
    values = []
    depthwise = depthwise_names(model)
    for variable in model.weights:
        shape = variable.shape
        if variable.name in ("gamma", "moving_variance"):
            values.append(generator.uniform(0.7, 1.3, shape))
        elif len(shape) > 1:
            fan_in = np.prod(shape[:2]) if variable.path.split("/")[-2] in depthwise else np.prod(shape[:-1])
            values.append(generator.normal(0, np.sqrt(2 / fan_in), shape))
        else:
            values.append(generator.normal(0, 0.1, shape))
    model.set_weights([value.astype("float32") for value in values])
    return model


def depthwise_names(model):
    return {layer.name for layer in model.layers if isinstance(layer, layers.DepthwiseConv2D)}


def hundred_layers():
    """Layers of many sizes, with ways around some of them, and layers without weights between."""
    inputs = keras.Input((64,), name="features")
    x = layers.Dense(320, name="stem")(inputs)
    for index in range(24):
        before = x
        x = layers.LayerNormalization(name=f"block_{index:02}_norm")(x)
        x = layers.Dense((160, 640, 320, 480)[index % 4], activation="tanh", name=f"block_{index:02}_inner")(x)
        x = layers.Dense(320, name=f"block_{index:02}_outer")(x)
        x = layers.Add(name=f"block_{index:02}")([before, x])
    x = layers.Activation("tanh", name="last")(x)
    return keras.Model(inputs, layers.Dense(10, name="answer")(x), name="hundred_layers")


def small_resnet():
    """One layer of each class that ResNet50 has."""
    inputs = keras.Input((8, 8, 3), name="image")
    x = layers.ZeroPadding2D(1, name="pad")(inputs)
    x = layers.Conv2D(4, 3, name="conv")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Activation("relu", name="relu")(x)
    x = layers.Add(name="add")([x, x])
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(inputs, layers.Dense(2, name="answer")(x), name="small_resnet")


def cifar_cnn():
    inputs = keras.Input((32, 32, 3), name="image")
    x = inputs
    for stage, filters in enumerate((32, 64)):
        for index in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv_{stage}_{index}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(256, activation="relu", name="inner")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="answer")(x), name="cifar_cnn")


def fine_tuning():
    base = keras.applications.MobileNetV2(input_shape=(96, 96, 3), include_top=False, weights=None)
    base.trainable = False
    x = layers.GlobalAveragePooling2D(name="mean")(base.output)
    return keras.Model(base.input, layers.Dense(5, activation="softmax", name="answer")(x), name="fine_tuning")


def one_layer(shape, layer):
    inputs = keras.Input(shape, name="left")
    return keras.Model(inputs, layer(inputs))


def efficientnet_b0():
    """From the first padding on: TensorFlow.js has no Normalization, which stands before it."""
    whole = keras.applications.EfficientNetB0(weights=None)
    return keras.Model(whole.get_layer("stem_conv_pad").input, whole.output, name="efficientnet_b0")


def two_lstms():
    inputs = keras.Input((100, 256), name="steps")
    x = layers.LSTM(256, return_sequences=True, name="lower")(inputs)
    return keras.Model(inputs, layers.LSTM(256, name="upper")(x), name="two_lstms")


def transformer(depth=6, width=384, heads=6):
    """Encoder layers that normalize first, as of GPT-2 and ViT."""
    inputs = keras.Input((128, width), name="tokens")
    x = inputs
    for index in range(depth):
        name = f"block_{index}"
        y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_1")(x)
        y = layers.MultiHeadAttention(heads, width // heads, name=f"{name}_attention")(y, y)
        x = layers.Add(name=f"{name}_add_1")([x, y])
        y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_2")(x)
        y = layers.Dense(4 * width, activation="gelu", name=f"{name}_inner")(y)
        y = layers.Dense(width, name=f"{name}_outer")(y)
        x = layers.Add(name=f"{name}_add_2")([x, y])
    return keras.Model(inputs, layers.LayerNormalization(epsilon=1e-6, name="norm")(x), name="transformer")


def mlp():
    inputs = keras.Input((784,), name="image")
    x = layers.Dense(128, activation="relu", name="inner")(inputs)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="answer")(x), name="mlp")


def small_lstm():
    inputs = keras.Input((50, 8), name="steps")
    x = layers.LSTM(32, name="lstm")(inputs)
    return keras.Model(inputs, layers.Dense(1, name="answer")(x), name="small_lstm")


def config_of_keras_2(value):
    """A configuration without what Keras 3 added: modules, dtype policies, registered names."""
    if isinstance(value, (list, tuple)):
        return [config_of_keras_2(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    skipped = {"module", "registered_name", "build_config", "quantization_config", "synchronized"}
    result = {key: config_of_keras_2(item) for key, item in value.items() if key not in skipped}
    if result.get("activation") == "silu":
        result["activation"] = "swish"
    if "batch_shape" in result:
        result["batch_input_shape"] = result.pop("batch_shape")
    return result


def inbound_nodes_of_keras_2(nodes):
    def tensors(value):
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            return [[*value["config"]["keras_history"], {}]]
        if isinstance(value, (list, tuple)):
            return [tensor for item in value for tensor in tensors(item)]
        return []

    return [tensors(node["args"]) for node in nodes]


def without_kept_axes(row, layer):
    """A pooling of its own, for TensorFlow.js, which keeps no axes: what was `row` becomes the Reshape after it."""
    pooling = {**row, "name": f"{row['name']}_flat", "config": {**row["config"], "name": f"{row['name']}_flat"}}
    row["class_name"] = "Reshape"
    row["config"] = {"name": row["name"], "target_shape": list(layer.output.shape[1:])}
    row["inbound_nodes"] = [[[pooling["name"], 0, 0, {}]]]
    return pooling


def write_layers_model(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    config = model.get_config()
    rows = []
    for layer in config["layers"]:
        row = config_of_keras_2({key: layer[key] for key in ("class_name", "config", "name")})
        row["inbound_nodes"] = inbound_nodes_of_keras_2(layer["inbound_nodes"])
        if row["config"].pop("keepdims", False):
            rows.append(without_kept_axes(row, model.get_layer(layer["name"])))
        rows.append(row)
    ends = {key: [config[key]] if isinstance(config[key][0], str) else config[key] for key in ("input_layers", "output_layers")}
    topology = {
        "keras_version": "2.15.0",
        "backend": "tensorflow",
        "model_config": {"class_name": "Functional", "config": {"name": model.name, "layers": rows, **ends}},
    }
    specs, data, depthwise = [], bytearray(), depthwise_names(model)
    for variable in model.weights:
        *_, layer, name = variable.path.split("/")
        if layer.endswith("_cell"):
            layer = variable.path.split("/")[-3]
        # Keras 2, and with it TensorFlow.js, knows the kernel of a depthwise convolution by another name.
        name = f"{layer}/{'depthwise_kernel' if name == 'kernel' and layer in depthwise else name}"
        specs.append({"name": name, "shape": list(variable.shape), "dtype": "float32"})
        data += np.asarray(variable).tobytes()
    count = -(-len(data) // SHARD_BYTES)
    paths = [f"group1-shard{index + 1}of{count}.bin" for index in range(count)]
    for index, path in enumerate(paths):
        (folder / path).write_bytes(data[index * SHARD_BYTES : (index + 1) * SHARD_BYTES])
    manifest = [{"paths": paths, "weights": specs}]
    text = json.dumps({"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest})
    (folder / "model.json").write_text(text)


MODELS = {
    "mobilenet-v2": lambda: keras.applications.MobileNetV2(weights=None),
    "resnet-50": lambda: keras.applications.ResNet50(weights=None),
    "hundred-layers": hundred_layers,
    "small-resnet": small_resnet,
    "cifar-cnn": cifar_cnn,
    "fine-tuning": fine_tuning,
    "matrix-512": lambda: one_layer((512,), layers.Dense(512, use_bias=False, name="right")),
    "matrix-1024": lambda: one_layer((1024,), layers.Dense(1024, use_bias=False, name="right")),
    "convolution-56": lambda: one_layer((56, 56, 64), layers.Conv2D(64, 3, padding="same", use_bias=False, name="right")),
    "mobilenet-v1": lambda: keras.applications.MobileNet(weights=None),
    "efficientnet-b0": efficientnet_b0,
    "lstm-256": two_lstms,
    "transformer-384": transformer,
    "mlp-784": mlp,
    "lstm-32": small_lstm,
}
BATCHES = {"cifar-cnn": 32, "fine-tuning": 16, "matrix-512": 512, "matrix-1024": 1024, "lstm-256": 16}

# Whose loads are timed, or whose steps.
WITH_HDF5 = {"mobilenet-v2", "resnet-50", "hundred-layers", "small-resnet", "cifar-cnn", "fine-tuning"}

# What TensorFlow.js does not know, or is not asked for.
WITHOUT_LAYERS_MODEL = {"hundred-layers", "transformer-384"}


def main(names):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or MODELS:
        model = randomize(MODELS[name](), SEED)
        model.save(FOLDER / f"{name}.keras")
        if name in WITH_HDF5:
            model.save(FOLDER / f"{name}.h5")
        if name not in WITHOUT_LAYERS_MODEL:
            write_layers_model(model, FOLDER / name)
        shape = (BATCHES.get(name, 1), *model.input_shape[1:])
        inputs = np.random.default_rng(SEED).uniform(-1, 1, shape).astype("float32")
        inputs.tofile(FOLDER / f"{name}-input.bin")
        # Last: its presence says that all is there.
        np.asarray(model.predict(inputs, verbose=0), "float32").tofile(FOLDER / f"{name}-output.bin")


main(sys.argv[1:])
