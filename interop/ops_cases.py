"""Cases of operations: seeded inputs, what Keras computes of them, and how both are written."""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras.src.ops import linalg, nn
from keras.src.ops import numpy as knp

assert keras.__version__.startswith("3.15"), keras.__version__
assert keras.backend.backend() == "jax"

ROOT = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "ops"
rng = np.random.default_rng(20261121)
NAN, INF = float("nan"), float("inf")


def f(*shape, lo=-2.0, hi=2.0):
    return np.round(rng.uniform(lo, hi, shape), 2).astype("float32")


def i(*shape, lo=-5, hi=6):
    return rng.integers(lo, hi, shape).astype("int32")


def b(*shape):
    return rng.integers(0, 2, shape).astype(bool)


def fl(values):
    return np.array(values, dtype="float32")


def it(values):
    return np.array(values, dtype="int32")


SPECIAL = fl([0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 1e-6, 30.0, -30.0, NAN, INF, -INF])
POSITIVE = fl([0.0, 1.0, 0.5, 2.5, 1e-6, 300.0, INF, NAN])


def number(value):
    value = float(value)
    if np.isnan(value):
        return "nan"
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 2**53:
        return int(value)
    return float(np.format_float_positional(np.float32(value), unique=True, trim="-")) if abs(
        value
    ) > 1e-4 else float(np.format_float_scientific(np.float32(value), unique=True))


def encode_tensor(array):
    array = np.asarray(array)
    kind = "bool" if array.dtype == bool else "float32" if array.dtype.kind == "f" else "int32"
    return {"tensor": [kind, list(array.shape), [number(v) for v in array.ravel()]]}


def encode(value):
    if isinstance(value, slice):
        return {"start": value.start, "stop": value.stop, "step": value.step}
    if value is Ellipsis:
        return "..."
    if isinstance(value, np.ndarray):
        return encode_tensor(value)
    if isinstance(value, (list, tuple)):
        return [encode(v) for v in value]
    if isinstance(value, dict):
        return {k: encode(v) for k, v in value.items()}
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (np.integer,)):
        return int(value)
    return value


def outputs(result):
    results = result if isinstance(result, (list, tuple)) else [result]
    return [encode_tensor(np.asarray(r))["tensor"] for r in results]


# Classes of 3.15.1 that cannot be called on JAX (arguments in the wrong order or not hashable) while the function can.
FUNCTIONS = {
    nn.ConvTranspose: nn.conv_transpose,
    knp.Quantile: knp.quantile,
    knp.Percentile: knp.percentile,
    knp.Median: knp.median,
    linalg.Norm: lambda x, **config: keras.ops.norm(
        x, **{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
    ),
    knp.Histogram: lambda x, **config: [np.histogram(x, **config)[0].astype("float32"), np.histogram(x, **config)[1]],
    knp.Repeat: lambda x, repeats, axis=None: np.repeat(x, repeats, axis),
}

FAILURES = []


def run(*case):
    """Keras' own failures are collected, so that one run shows them all."""
    try:
        return compute_case(*case)
    except Exception as error:
        FAILURES.append(f"{case[0].__name__} {case[1]}: {str(error)[:200]}")


def compute_case(cls, config, args, kwargs=None):
    operation = cls(**config)
    saved = {k: v for k, v in operation.get_config().items() if k != "name"}
    function = FUNCTIONS.get(cls)
    compute = operation if function is None else lambda *a: function(*a, **config)
    result = compute(*args, **(kwargs or {}))
    case = {"op": cls.__name__, "args": encode(list(args)), "expected": outputs(result)}
    if saved:
        case["config"] = encode(saved)
    if kwargs:
        case["kwargs"] = encode(kwargs)
    return case


def write(name, cases):
    ROOT.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = ROOT / f"{name}.json"
    path.write_text("[\n" + lines + "\n]\n")
    print(name, len(cases), path.stat().st_size)


def known(name, args, expected, kwargs=None):
    """A case whose answer is NumPy's: TensorFlow is not needed to say what these functions mean."""
    case = {"op": name, "args": encode(list(args)), "expected": outputs(expected)}
    if kwargs:
        case["kwargs"] = encode(kwargs)
    return case
