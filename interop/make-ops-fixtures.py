"""Writes test/fixtures/ops/*.json: operations of Keras with arguments and what Keras computes.

Made with keras 3.15.1, jax (CPU), numpy; inputs are seeded and rounded, so that a rerun changes nothing.

    KERAS_BACKEND=jax interop/.venv/bin/python interop/make-ops-fixtures.py

Each case is an operation as a saved Functional model holds it: class name, config as `get_config` gives it, call
arguments, and the outputs. Tensors are [dtype, shape, flat values]; NaN and infinities are strings.
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras.src.activations.activations import ReLU
from keras.src.ops import core, einops, image, linalg, math, nn
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


def elementwise():
    cases = []
    whole = (
        "Absolute Abs Fabs Angle Arctan Arcsinh Cbrt Ceil Conj Conjugate Copy Cos Cosh Deg2rad Exp Exp2 Expm1 Floor "
        "Imag Isfinite Isinf Isnan Isneginf Isposinf Isreal LogicalNot Negative Rad2deg Real Reciprocal Sign Signbit "
        "Sin Sinc Sinh Square Tan Tanh Trunc"
    ).split()
    for name in whole:
        special = SPECIAL[:10] if name in ("Cos", "Sin", "Tan", "Sinc") else SPECIAL
        cases.append(run(getattr(knp, name), {}, [special]))
        cases.append(run(getattr(knp, name), {}, [f(2, 3)]))
    for name in "Absolute Negative Sign Square Exp LogicalNot Isnan Tanh Reciprocal".split():
        cases.append(run(getattr(knp, name), {}, [it([-3, -1, 1, 2, 7])]))
    for name in "Absolute Exp LogicalNot Square".split():
        cases.append(run(getattr(knp, name), {}, [np.array([True, False])]))
    for name in "Log Log10 Log1p Log2 Sqrt".split():
        cases.append(run(getattr(knp, name), {}, [POSITIVE]))
    for name in "Arccos Arcsin Arctanh".split():
        cases.append(run(getattr(knp, name), {}, [fl([-1, -0.5, 0, 0.25, 1, 1.5, NAN])]))
    cases.append(run(knp.Arccosh, {}, [fl([1, 1.5, 10, 0.5])]))
    cases.append(run(knp.I0, {}, [fl([0, 0.5, -1, 3.7, 3.8, 10, -20])]))
    cases.append(run(math.Rsqrt, {}, [POSITIVE]))
    cases.append(run(math.Erf, {}, [SPECIAL]))
    cases.append(run(math.Erfc, {}, [fl([-3, -0.5, 0, 0.5, 1, 2, 4, 6, 9])]))
    cases.append(run(math.Erfinv, {}, [fl([-1, -0.999, -0.5, 0, 0.1, 0.9, 0.9999, 1])]))
    for name in (
        "Add Arctan2 Divide Equal Fmax Fmin Greater GreaterEqual Heaviside Hypot Less LessEqual Logaddexp Logaddexp2 "
        "LogicalAnd LogicalOr LogicalXor Maximum Minimum Multiply NotEqual Subtract TrueDivide DivideNoNan"
    ).split():
        cls = getattr(knp, name)
        cases.append(run(cls, {}, [f(2, 1, 3), f(4, 1)]))
        cases.append(run(cls, {}, [fl([1, -1, 0, NAN, 2, INF, -INF]), fl([0, 2, 0, 1, NAN, INF, 1])]))
        cases.append(run(cls, {}, [i(3), f(3)]))
    for name in "Add Subtract Multiply Maximum Minimum Equal Less FloorDivide Mod TrueDivide Fmod".split():
        cases.append(run(getattr(knp, name), {}, [it([7, -7, 7, -7, 2]), it([2, 2, -2, -2, 5])]))
    for name in "Add Multiply Equal LogicalAnd LogicalXor Maximum".split():
        cases.append(run(getattr(knp, name), {}, [np.array([True, True, False]), np.array([True, False, False])]))
    for name in "FloorDivide Mod Fmod".split():
        cases.append(run(getattr(knp, name), {}, [fl([7.5, -7.5, 7.5, -7.5, 1]), fl([2, 2, -2, -2, 4])]))
    for name in "Add Multiply Subtract Power Greater Maximum".split():
        cases.append(run(getattr(knp, name), {}, [f(3), 2]))
        cases.append(run(getattr(knp, name), {}, [f(3, lo=0.1), 0.5]))
        cases.append(run(getattr(knp, name), {}, [it([1, 2, 3]), 2]))
    cases.append(run(knp.Power, {}, [fl([2, -2, 0, 4, INF]), fl([3, 2, 0, -0.5, -1])]))
    cases.append(run(knp.Subtract, {}, [1.5, f(3)]))
    cases.append(run(knp.Add, {}, [f(3)], {"x2": f(2, 3)}))
    for name in "Gcd Lcm".split():
        cases.append(run(getattr(knp, name), {}, [it([12, -18, 0, 7, 1836311903]), it([18, 12, 5, 3, 1])]))
    cases.append(run(knp.Ldexp, {}, [f(3), it([2, 0, -3])]))
    for name in "BitwiseAnd BitwiseOr BitwiseXor".split():
        cases.append(run(getattr(knp, name), {}, [it([12, -7, 0, 2147483647]), it([10, 5, -1, -2147483648])]))
    for name in "BitwiseNot BitwiseInvert".split():
        cases.append(run(getattr(knp, name), {}, [it([12, -7, 0])]))
    for name in "LeftShift BitwiseLeftShift RightShift BitwiseRightShift".split():
        cases.append(run(getattr(knp, name), {}, [it([12, -7, 1, 2147483647]), it([1, 2, 30, 31])]))
    cases.append(run(knp.AllClose, {}, [fl([1, 2]), fl([1, 2.00001])]))
    cases.append(run(knp.Isclose, {"equal_nan": True}, [fl([1, NAN, INF, 1]), fl([1.000001, NAN, INF, 2])]))
    cases.append(run(knp.Isclose, {}, [fl([1, NAN, INF, 1]), fl([1.000001, NAN, -INF, 2])]))
    cases.append(run(knp.Clip, {"x_min": -1.0, "x_max": 0.5}, [SPECIAL]))
    cases.append(run(knp.Clip, {"x_min": -1, "x_max": 2}, [i(6)]))
    cases.append(run(knp.NanToNum, {}, [SPECIAL]))
    cases.append(run(knp.NanToNum, {"nan": 7.0, "posinf": 1.0, "neginf": -1.0}, [SPECIAL]))
    cases.append(run(knp.Round, {}, [fl([0.5, 1.5, -2.5, 2.4])]))
    cases.append(run(knp.Round, {"decimals": 1}, [fl([0.26, 1.54, -2.37])]))
    cases.append(run(knp.Where, {}, [b(2, 3), f(3), f(2, 1)]))
    cases.append(run(knp.Where, {}, [b(3), f(3), 0.0]))
    cases.append(run(knp.Where, {}, [np.array([True, False]), it([1, 2]), fl([0.5, 1.5])]))
    cases.append(run(knp.Select, {}, [[b(4), b(4)], [f(4), f(4)], 9.0]))
    cases.append(run(core.Cast, {"dtype": "int32"}, [fl([1.7, -1.7, 0])]))
    cases.append(run(core.Cast, {"dtype": "bool"}, [fl([1.7, 0, -0.2])]))
    cases.append(run(core.Cast, {"dtype": "float32"}, [np.array([True, False])]))
    cases.append(run(core.SaturateCast, {"dtype": "uint8"}, [fl([-3, 5.7, 300])]))
    cases.append(run(core.StopGradient, {}, [f(3)]))
    cases.append(run(knp.Array, {"dtype": "float32"}, [i(3)]))
    cases.append(run(core.ConvertToTensor, {"dtype": "float32"}, [i(3)]))

    for name in (
        "HardSigmoid HardSilu HardTanh LogSigmoid Relu Relu6 Selu Sigmoid Silu Softplus Softsign SparsePlus "
        "SparseSigmoid TanhShrink"
    ).split():
        cases.append(run(getattr(nn, name), {}, [np.concatenate([SPECIAL[:10], f(10, lo=-4, hi=4)])]))
    cases.append(run(nn.Relu, {}, [i(6)]))
    for config in ({"negative_slope": 0.1}, {"max_value": 1.5, "threshold": 0.5}, {"negative_slope": 0.2, "threshold": 1.0}):
        cases.append(run(ReLU, config, [np.concatenate([SPECIAL[:10], f(10, lo=-4, hi=4)])]))
    for cls, config in (
        (nn.Celu, {"alpha": 0.7}),
        (nn.Elu, {"alpha": 1.3}),
        (nn.Gelu, {"approximate": True}),
        (nn.Gelu, {"approximate": False}),
        (nn.HardShrink, {"threshold": 0.4}),
        (nn.LeakyRelu, {"negative_slope": 0.1}),
        (nn.SoftShrink, {"threshold": 0.4}),
        (nn.Squareplus, {"b": 3}),
        (nn.Threshold, {"threshold": 0.2, "default_value": -7.0}),
    ):
        cases.append(run(cls, config, [np.concatenate([SPECIAL[:10], f(10, lo=-4, hi=4)])]))
    cases.append(run(nn.Glu, {"axis": 1}, [f(2, 4, 2)]))
    for cls in (nn.Softmax, nn.LogSoftmax):
        cases.append(run(cls, {}, [f(2, 3, 4)]))
        cases.append(run(cls, {"axis": 1}, [f(2, 3) * 50]))
        cases.append(run(cls, {"axis": None}, [f(2, 3)]))
    cases.append(run(nn.Softmax, {"axis": (0, 2)}, [f(2, 3, 2)]))
    cases.append(run(nn.Softmax, {}, [fl([[1, -INF, 2], [1000, 1000, 0]])]))
    cases.append(run(nn.Sparsemax, {}, [f(3, 5)]))
    cases.append(run(nn.Sparsemax, {"axis": 1}, [f(2, 4, 2)]))
    return cases


def arrays():
    cases = []
    reductions = "Amax Amin Mean Median Ptp Std Sum Var Max Min Prod".split()
    for name in reductions:
        cls = getattr(knp, name)
        x = f(2, 3, 4)
        cases.append(run(cls, {}, [x]))
        cases.append(run(cls, {"axis": 1}, [x]))
        cases.append(run(cls, {"axis": (0, -1), "keepdims": True}, [x]))
        cases.append(run(cls, {"axis": -1}, [fl([[1, NAN, 2], [3, 1, 2]])]))
    for name in "Mean Sum Max Min Prod Var".split():
        cases.append(run(getattr(knp, name), {"axis": 0}, [i(3, 4)]))
    cases.append(run(knp.Sum, {"axis": 0}, [b(3, 4)]))
    cases.append(run(knp.Mean, {}, [b(3, 4)]))
    cases.append(run(knp.Max, {"axis": 1, "initial": 1.5}, [f(2, 3)]))
    cases.append(run(knp.Min, {"axis": 1, "initial": -0.5}, [f(2, 3)]))
    for name in "All Any".split():
        cases.append(run(getattr(knp, name), {"axis": 1}, [b(4, 2)]))
        cases.append(run(getattr(knp, name), {"keepdims": True}, [f(2, 2)]))
    cases.append(run(knp.CountNonzero, {"axis": 1}, [i(3, 4, lo=0, hi=2)]))
    for name in "Argmax Argmin".split():
        cls = getattr(knp, name)
        cases.append(run(cls, {}, [f(2, 3)]))
        cases.append(run(cls, {"axis": 1, "keepdims": True}, [f(2, 3, 2)]))
        cases.append(run(cls, {"axis": -1}, [it([[1, 3, 3], [0, 0, 5]])]))
    hollow = fl([[1, NAN, 3, -2], [NAN, NAN, NAN, NAN], [2, 0.5, NAN, 4]])
    for name in "Nanmax Nanmean Nanmin Nanprod Nanstd Nansum Nanvar".split():
        cases.append(run(getattr(knp, name), {"axis": 1}, [hollow]))
        cases.append(run(getattr(knp, name), {"keepdims": True}, [hollow]))
    for name in "Nanargmax Nanargmin".split():
        cases.append(run(getattr(knp, name), {"axis": 1}, [hollow]))
    for name in "Cumsum Cumprod".split():
        cases.append(run(getattr(knp, name), {"axis": 1}, [f(2, 3)]))
        cases.append(run(getattr(knp, name), {}, [i(2, 3)]))
        cases.append(run(getattr(knp, name), {"axis": 0, "dtype": "float32"}, [i(2, 3)]))
    for name in "Nancumsum Nancumprod".split():
        cases.append(run(getattr(knp, name), {"axis": 1}, [hollow]))
    cases.append(run(knp.Average, {"axis": 1}, [f(2, 3), f(2, 3, lo=0.1)]))
    cases.append(run(knp.Average, {"axis": 1}, [f(2, 3)], {"weights": f(3, lo=0.1)}))
    cases.append(run(math.Logsumexp, {"axis": 1}, [f(2, 3) * 100]))
    cases.append(run(math.Logsumexp, {"keepdims": True}, [fl([[-INF, -INF]])]))
    cases.append(run(math.Logsumexp, {"axis": (0, 1)}, [fl([[INF, 1]])]))
    for config in ({}, {"axis": -1}, {"ord": 1, "axis": 1}, {"ord": 3, "axis": 0}, {"ord": "fro", "axis": [0, 1]},
                   {"ord": 1, "axis": [0, 1]}, {"ord": 2, "axis": 1, "keepdims": True}, {"ord": 0, "axis": 1}):
        cases.append(run(linalg.Norm, config, [f(3, 4)]))
    cases.append(run(nn.Moments, {"axes": [0, 1]}, [f(2, 3, 2)]))
    cases.append(run(nn.Moments, {"axes": [1], "keepdims": True}, [f(2, 3, 2)]))
    for method in "linear lower higher midpoint nearest".split():
        cases.append(run(knp.Quantile, {"axis": 1, "method": method}, [f(2, 6), 0.35]))
    cases.append(run(knp.Quantile, {}, [f(2, 6), fl([0.1, 0.5, 1])]))
    cases.append(run(knp.Percentile, {"axis": 0, "keepdims": True}, [f(5, 2), 70]))
    cases.append(run(knp.Histogram, {"bins": 4}, [f(20)]))
    cases.append(run(knp.Histogram, {"bins": 3, "range": (-1, 1)}, [f(20)]))
    cases.append(run(knp.Corrcoef, {}, [f(3, 6)]))
    for mode in "valid same full".split():
        cases.append(run(knp.Correlate, {"mode": mode}, [f(5), f(3)]))
        cases.append(run(knp.Correlate, {"mode": mode}, [f(6), f(4)]))
        cases.append(run(knp.Correlate, {"mode": mode}, [f(2), f(5)]))
        cases.append(run(knp.Correlate, {"mode": mode}, [f(3), f(6)]))
    cases.append(run(knp.Diff, {"n": 2, "axis": 0}, [f(4, 2)]))
    cases.append(run(knp.Trapezoid, {"axis": 0}, [f(4, 2)]))
    cases.append(run(knp.Trapezoid, {"x": [0.0, 0.5, 2.0, 3.0]}, [f(2, 4)]))
    cases.append(run(knp.Vander, {}, [fl([1, 2, -3])]))
    cases.append(run(knp.Vander, {"N": 2, "increasing": True}, [fl([1, 2, -3])]))
    cases.append(run(math.CDist, {}, [f(3, 2), f(4, 2)]))

    cases.append(run(knp.Reshape, {"newshape": [3, -1]}, [f(2, 3, 2)]))
    cases.append(run(knp.Ravel, {}, [i(2, 2)]))
    cases.append(run(knp.Transpose, {}, [f(2, 3)]))
    cases.append(run(knp.Transpose, {"axes": [1, 0, 2]}, [f(2, 3, 2)]))
    cases.append(run(knp.Swapaxes, {"axis1": 0, "axis2": -1}, [f(2, 3, 2)]))
    cases.append(run(knp.Moveaxis, {"source": [0, 1], "destination": [-1, 0]}, [f(2, 3, 2)]))
    cases.append(run(knp.Moveaxis, {"source": -1, "destination": 1}, [f(2, 3, 2)]))
    cases.append(run(knp.ExpandDims, {"axis": -1}, [f(2, 3)]))
    cases.append(run(knp.ExpandDims, {"axis": [0, 2]}, [f(2, 3)]))
    cases.append(run(knp.Squeeze, {}, [f(1, 3, 1)]))
    cases.append(run(knp.Squeeze, {"axis": 0}, [f(1, 3, 1)]))
    cases.append(run(knp.BroadcastTo, {"shape": [2, 3, 2]}, [f(3, 1)]))
    cases.append(run(knp.Concatenate, {"axis": -1}, [[f(2, 3), i(2, 1)]]))
    cases.append(run(knp.Append, {}, [f(2), f(2, 2)]))
    cases.append(run(knp.Append, {"axis": 1}, [f(2, 1), f(2, 2)]))
    cases.append(run(knp.Stack, {"axis": 1}, [[f(2, 3), f(2, 3)]]))
    cases.append(run(core.Unstack, {"axis": 1}, [f(2, 3)]))
    cases.append(run(knp.Split, {"indices_or_sections": 2, "axis": 1}, [f(2, 4)]))
    cases.append(run(knp.Split, {"indices_or_sections": [1, 3], "axis": 1}, [f(2, 4)]))
    cases.append(run(knp.ArraySplit, {"indices_or_sections": 3, "axis": 0}, [f(5, 2)]))
    cases.append(run(knp.Hsplit, {"indices_or_sections": 2}, [f(2, 4)]))
    cases.append(run(knp.Vsplit, {"indices_or_sections": 2}, [f(4, 2)]))
    cases.append(run(knp.Dsplit, {"indices_or_sections": 2}, [f(2, 2, 2)]))
    cases.append(run(knp.Hstack, {}, [[f(2), f(3)]]))
    cases.append(run(knp.Hstack, {}, [[f(2, 1), f(2, 2)]]))
    cases.append(run(knp.Vstack, {}, [[f(3), f(3)]]))
    cases.append(run(knp.Dstack, {}, [[f(3), f(3)]]))
    cases.append(run(knp.Meshgrid, {}, [f(2), f(3)]))
    cases.append(run(knp.Meshgrid, {"indexing": "ij"}, [f(2), f(3), f(2)]))
    cases.append(run(knp.Tile, {"repeats": [2, 1, 2]}, [f(2, 2)]))
    cases.append(run(knp.Tile, {"repeats": 2}, [f(2, 2)]))
    cases.append(run(knp.Repeat, {"repeats": 2, "axis": 1}, [f(2, 2)]))
    cases.append(run(knp.Repeat, {"repeats": 2}, [f(2, 2)]))
    cases.append(run(knp.Repeat, {"repeats": [1, 0, 2], "axis": 0}, [f(3, 2)]))
    cases.append(run(knp.Flip, {}, [f(2, 3)]))
    cases.append(run(knp.Flip, {"axis": -1}, [i(2, 3)]))
    cases.append(run(knp.Fliplr, {}, [f(2, 3)]))
    cases.append(run(knp.Flipud, {}, [f(2, 3)]))
    cases.append(run(knp.Roll, {"shift": 2}, [f(2, 3)]))
    cases.append(run(knp.Roll, {"shift": [1, -1], "axis": [0, 1]}, [f(2, 3)]))
    for k in (1, 2, 3, -1):
        cases.append(run(knp.Rot90, {"k": k, "axes": (0, 1)}, [f(2, 3)]))
    cases.append(run(knp.Rot90, {"k": 1, "axes": (2, 1)}, [f(1, 2, 3)]))
    cases.append(run(knp.Pad, {"pad_width": [[1, 2], [0, 1]]}, [f(2, 3)]))
    cases.append(run(knp.Pad, {"pad_width": 1}, [f(2, 2), 5.0]))
    for mode in "edge reflect symmetric wrap".split():
        cases.append(run(knp.Pad, {"pad_width": [[2, 1], [3, 4]], "mode": mode}, [f(3, 3)]))

    x = f(4, 5, 2)
    for key in (
        1,
        (slice(1, None), -2),
        (slice(None, None, -1), slice(4, 0, -2)),
        (Ellipsis, 0),
        (None, 2, Ellipsis, None),
        (slice(-3, 100, 2), slice(3, 3)),
    ):
        cases.append(run(knp.GetItem, {}, [x, list(key) if isinstance(key, tuple) else key]))
    cases.append(run(knp.Take, {"axis": 1}, [f(2, 4), it([[0, 3], [-1, 1]])]))
    cases.append(run(knp.Take, {}, [f(2, 4), it([5, 0])]))
    cases.append(run(knp.TakeAlongAxis, {"axis": 1}, [f(2, 4), it([[0, 3], [-1, 1]])]))
    cases.append(run(knp.TakeAlongAxis, {}, [f(2, 2), it([3, 0])]))
    cases.append(run(core.Slice, {"shape": [1, 2]}, [f(3, 4), it([2, 1])]))
    cases.append(run(core.Slice, {"shape": [2, -1]}, [f(3, 4), [1, 0]]))
    cases.append(run(core.SliceUpdate, {}, [f(3, 4), it([1, 2]), f(2, 2)]))
    cases.append(run(core.Scatter, {"shape": [4, 2]}, [it([[1], [3], [1]]), f(3, 2)]))
    cases.append(run(core.Scatter, {"shape": [2, 3]}, [it([[1, 2], [0, 0]]), f(2)]))
    for reduction in (None, "add", "max", "min", "mul"):
        cases.append(run(core.ScatterUpdate, {"reduction": reduction}, [f(3, 2), it([[0, 1], [2, 0]]), f(2)]))
    cases.append(run(core.ScatterUpdate, {"reduction": "add"}, [f(3, 2), it([[0], [0]]), f(2, 2)]))
    cases.append(run(core.ScatterUpdate, {"reduction": "max"}, [f(3, 2), it([[0], [0]]), f(2, 2)]))
    cases.append(run(knp.UnravelIndex, {"shape": [3, 4]}, [it([5, 11, 0])]))
    cases.append(run(nn.OneHot, {"num_classes": 3}, [it([0, 2, -1, 3])]))
    cases.append(run(nn.OneHot, {"num_classes": 3, "axis": 0, "dtype": "int32"}, [it([[0, 2], [1, 1]])]))
    cases.append(run(nn.MultiHot, {"num_classes": 4}, [it([[0, 2, 2], [1, 3, -1]])]))
    cases.append(run(nn.MultiHot, {"num_classes": 4}, [it([0, 2])]))
    for name in "Sum Prod Max Min".split():
        cls = getattr(math, f"Segment{name}")
        cases.append(run(cls, {"num_segments": 3}, [f(4, 2), it([0, 2, 0, 2])]))
        cases.append(run(cls, {"num_segments": 2}, [it([3, -4, 5]), it([1, 1, 1])]))

    cases.append(run(knp.Argsort, {}, [f(2, 4)]))
    cases.append(run(knp.Argsort, {"axis": 0}, [it([[2, 1], [2, 0], [1, 1]])]))
    cases.append(run(knp.Sort, {}, [fl([3, NAN, -1, INF])]))
    cases.append(run(knp.Sort, {"axis": 0}, [f(3, 2)]))
    cases.append(run(math.TopK, {"k": 2}, [fl([[1, 5, 5, 2], [4, 3, 2, 1]])]))
    cases.append(run(math.InTopK, {"k": 2}, [it([1, 0, 2]), fl([[0.1, 0.9, 0.5], [0.1, 0.9, 0.5], [0.3, 0.3, 0.3]])]))
    for side in ("left", "right"):
        cases.append(run(knp.SearchSorted, {"side": side}, [fl([1, 2, 2, 3]), fl([[0, 2], [2.5, 3]])]))
    cases.append(run(knp.Digitize, {}, [fl([[0, 1, 2.5], [3, 4, -1]]), fl([1, 2, 3])]))
    cases.append(run(knp.IsIn, {}, [it([[1, 2], [3, 4]]), it([2, 4, 9])]))
    cases.append(run(knp.IsIn, {"invert": True}, [it([1, 2]), it([2])]))

    for left, right in (((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 1, 2, 3), (4, 3, 2)),
                        ((2, 4, 3), (3, 2)), ((2, 3), (2, 3, 2))):
        cases.append(run(knp.Matmul, {}, [f(*left), f(*right)]))
    cases.append(run(knp.Matmul, {}, [i(2, 3), i(3, 2)]))
    cases.append(run(knp.Matmul, {}, [i(2, 3), f(3, 2)]))
    cases.append(run(knp.Dot, {}, [f(2, 3), f(2, 3, 2)]))
    cases.append(run(knp.Dot, {}, [f(2, 3), 2.0]))
    cases.append(run(knp.Inner, {}, [f(2, 3), f(4, 3)]))
    cases.append(run(knp.Outer, {}, [f(2, 2), f(3)]))
    cases.append(run(knp.Vdot, {}, [f(2, 2), f(2, 2)]))
    cases.append(run(knp.Kron, {}, [f(2, 2), f(1, 3)]))
    cases.append(run(knp.Tensordot, {"axes": 1}, [f(2, 3), f(3, 2)]))
    cases.append(run(knp.Tensordot, {"axes": [[1, 0], [0, 2]]}, [f(2, 3, 2), f(3, 2, 2)]))
    cases.append(run(knp.Cross, {}, [f(2, 3), f(2, 3)]))
    cases.append(run(knp.Cross, {}, [f(2, 2), f(2, 2)]))
    cases.append(run(knp.Cross, {"axis": 0}, [f(3, 2), f(3, 2)]))
    for subscripts, shapes in (
        ("ij,jk->ik", ((2, 3), (3, 2))),
        ("ij,jk", ((2, 3), (3, 2))),
        ("bij,bkj->bik", ((2, 2, 3), (2, 2, 3))),
        ("abc,cde->abde", ((2, 2, 3), (3, 2, 2))),
        ("aecd,abcd->acbe", ((2, 2, 2, 3), (2, 3, 2, 3))),
        ("...ij,...jk->...ik", ((2, 2, 3), (3, 2))),
        ("...i->...", ((2, 3),)),
        ("ii->i", ((3, 3),)),
        ("ii", ((3, 3),)),
        ("ij->ji", ((2, 3),)),
        ("i,j->ij", ((2,), (3,))),
        ("ij,jk,kl->il", ((2, 2), (2, 3), (3, 2))),
        ("ij,ij->", ((2, 3), (2, 3))),
    ):
        cases.append(run(knp.Einsum, {"subscripts": subscripts}, [f(*s) for s in shapes]))
    cases.append(run(knp.Diag, {"k": 1}, [f(3)]))
    cases.append(run(knp.Diag, {"k": -1}, [i(2)]))
    cases.append(run(knp.Diag, {"k": -1}, [f(3, 4)]))
    cases.append(run(knp.Diagflat, {"k": 1}, [f(2, 2)]))
    cases.append(run(knp.Diagonal, {"offset": 1}, [f(3, 4)]))
    cases.append(run(knp.Diagonal, {"offset": -1, "axis1": 1, "axis2": 2}, [f(2, 3, 3)]))
    cases.append(run(knp.Diagonal, {"offset": 5}, [f(3, 4)]))
    cases.append(run(knp.Trace, {"offset": 1}, [f(3, 3)]))
    cases.append(run(knp.Trace, {"axis1": 1, "axis2": 2}, [i(2, 3, 3)]))
    for name in "Tril Triu".split():
        cases.append(run(getattr(knp, name), {"k": 1}, [f(3, 4)]))
        cases.append(run(getattr(knp, name), {"k": -1}, [i(2, 3, 3)]))
    cases.append(run(knp.Arange, {}, [5]))
    cases.append(run(knp.Arange, {"dtype": "float32"}, [1, 2, 0.3]))
    cases.append(run(knp.Arange, {}, [5, 0, -2]))
    cases.append(run(knp.Linspace, {"num": 5}, [0.0, 1.0]))
    cases.append(run(knp.Linspace, {"num": 4, "endpoint": False}, [1.0, 3.0]))
    cases.append(run(knp.Full, {"shape": [2, 2], "dtype": "float32"}, [1.5]))
    cases.append(run(knp.FullLike, {}, [f(2, 2), 1.5]))
    cases.append(run(knp.FullLike, {"dtype": "int32"}, [f(2, 2), 3]))
    cases.append(run(knp.ZerosLike, {}, [i(2)]))
    cases.append(run(knp.OnesLike, {}, [f(2)]))
    cases.append(run(knp.OnesLike, {"dtype": "int32"}, [f(2)]))
    cases.append(run(knp.EmptyLike, {}, [f(2)]))
    cases.append(run(knp.Logspace, {"num": 3}, [0.0, 2.0]))
    cases.append(run(knp.Geomspace, {"num": 4, "endpoint": False}, [1.0, 16.0]))
    cases.append(run(einops.Rearrange, {}, [f(2, 4, 3), "b (h w) c -> b h (w c)"], {"h": 2}))
    cases.append(run(einops.Rearrange, {}, [f(2, 3), "a b -> b a"]))
    cases.append(run(knp.Ndim, {}, [f(2, 2)]))
    cases.append(run(knp.Size, {}, [f(2, 2)]))
    return cases


def networks():
    cases = []
    for config, x, kernel in (
        ({}, f(2, 5, 2), f(3, 2, 2)),
        ({"padding": "same", "strides": 2}, f(1, 6, 2), f(3, 2, 2)),
        ({"padding": "same", "dilation_rate": 2}, f(1, 6, 1), f(2, 1, 2)),
        ({"strides": (2, 1), "padding": "same"}, f(1, 4, 5, 2), f(3, 2, 2, 2)),
        ({}, f(1, 4, 4, 4), f(2, 2, 2, 4)),
        ({"data_format": "channels_first", "padding": "same"}, f(1, 2, 4, 3), f(3, 3, 2, 1)),
        ({"padding": "same", "strides": 2}, f(1, 3, 3, 3, 1), f(2, 2, 2, 1, 2)),
    ):
        cases.append(run(nn.Conv, config, [x, kernel]))
    cases.append(run(nn.DepthwiseConv, {"padding": "same"}, [f(1, 4, 3), f(3, 3, 2)]))
    cases.append(run(nn.DepthwiseConv, {"strides": 2}, [f(1, 5, 5, 2), f(2, 2, 2, 1)]))
    cases.append(run(nn.DepthwiseConv, {"data_format": "channels_first"}, [f(1, 2, 3, 3), f(2, 2, 2, 2)]))
    cases.append(run(nn.SeparableConv, {"padding": "same"}, [f(1, 4, 4, 2), f(3, 3, 2, 2), f(1, 1, 4, 3)]))
    for kernel in (1, 2, 3, 4, 5):
        for stride in (1, 2, 3):
            for padding in ("valid", "same"):
                cases.append(run(nn.ConvTranspose, {"strides": stride, "padding": padding}, [f(1, 3, 1), f(kernel, 1, 1)]))
    for output_padding in (0, 1, 2):
        for padding in ("valid", "same"):
            config = {"strides": 2, "padding": padding, "output_padding": output_padding}
            cases.append(run(nn.ConvTranspose, config, [f(1, 3, 2), f(3, 1, 2)]))
            cases.append(run(nn.ConvTranspose, config, [f(1, 3, 2), f(4, 1, 2)]))
    cases.append(run(nn.ConvTranspose, {"strides": 2, "padding": "same"}, [f(1, 3, 2, 2), f(3, 3, 3, 2)]))
    cases.append(run(nn.ConvTranspose, {"strides": 1, "dilation_rate": 2}, [f(1, 3, 3, 1), f(2, 2, 1, 1)]))
    cases.append(run(nn.ConvTranspose, {"strides": 1, "dilation_rate": 2, "padding": "same"}, [f(1, 4, 1), f(3, 1, 1)]))
    cases.append(run(nn.ConvTranspose, {"data_format": "channels_first", "strides": 2}, [f(1, 2, 2, 2), f(2, 2, 1, 2)]))
    cases.append(run(nn.ConvTranspose, {"strides": 2}, [f(1, 2, 2, 2, 1), f(2, 2, 2, 1, 1)]))
    for cls in (nn.MaxPool, nn.AveragePool):
        cases.append(run(cls, {"pool_size": 2, "strides": 2}, [f(1, 5, 2)]))
        cases.append(run(cls, {"pool_size": 3, "strides": 2, "padding": "same"}, [f(1, 5, 4, 2)]))
        cases.append(run(cls, {"pool_size": (2, 1), "strides": (1, 2), "data_format": "channels_first"}, [f(1, 2, 3, 4)]))
        cases.append(run(cls, {"pool_size": 2, "strides": 1, "padding": "same"}, [f(1, 3, 3, 3, 1)]))
    for cls in (nn.AdaptiveMaxPool, nn.AdaptiveAveragePool):
        cases.append(run(cls, {"output_size": 3, "data_format": "channels_last"}, [f(1, 7, 2)]))
        cases.append(run(cls, {"output_size": (2, 3), "data_format": "channels_first"}, [f(1, 2, 5, 4)]))
        cases.append(run(cls, {"output_size": (1, 2, 2), "data_format": "channels_last"}, [f(1, 3, 4, 3, 1)]))
    cases.append(run(nn.BatchNorm, {"axis": -1}, [f(2, 3, 2), f(2), f(2, lo=0.1), f(2), f(2)]))
    cases.append(run(nn.BatchNorm, {"axis": 1, "epsilon": 0.01}, [f(2, 3, 2), f(3), f(3, lo=0.1)]))
    cases.append(run(nn.LayerNorm, {}, [f(2, 3, 4), f(4), f(4)]))
    cases.append(run(nn.LayerNorm, {"axis": [1, 2], "epsilon": 0.001}, [f(2, 3, 2), f(3, 2), f(3, 2)]))
    cases.append(run(nn.LayerNorm, {"axis": 1}, [f(2, 3, 2), f(3)]))
    cases.append(run(nn.LayerNorm, {"rms_scaling": True}, [f(2, 4), f(4)]))
    cases.append(run(nn.RMSNorm, {}, [f(2, 4), f(4)]))
    cases.append(run(nn.RMSNorm, {"axis": [1, 2], "epsilon": 0.01}, [f(2, 3, 2)]))
    for order in (1, 2, 3):
        cases.append(run(nn.Normalize, {"order": order, "axis": 1}, [f(2, 3)]))
    cases.append(run(nn.Normalize, {}, [fl([[0, 0], [3, 4]])]))
    q = f(2, 3, 2, 4)
    cases.append(run(nn.DotProductAttention, {}, [q, f(2, 5, 2, 4), f(2, 5, 2, 4)]))
    cases.append(run(nn.DotProductAttention, {"is_causal": True}, [q, f(2, 3, 2, 4), f(2, 3, 2, 4)], {"scale": 0.3}))
    cases.append(run(nn.DotProductAttention, {}, [q, f(2, 5, 1, 4), f(2, 5, 1, 4)],
                     {"bias": f(2, 2, 3, 5), "mask": b(2, 1, 3, 5)}))
    p = np.round(rng.dirichlet([1, 1, 1], 3), 3).astype("float32")
    onehot = np.eye(3, dtype="float32")
    cases.append(run(nn.BinaryCrossentropy, {}, [fl([0, 1, 1, 0]), fl([0.2, 0.7, 0, 1])]))
    cases.append(run(nn.BinaryCrossentropy, {"from_logits": True}, [fl([0, 1, 1, 0]), fl([2, -3, 0.5, 40])]))
    cases.append(run(nn.CategoricalCrossentropy, {}, [onehot, p]))
    cases.append(run(nn.CategoricalCrossentropy, {"from_logits": True}, [onehot, f(3, 3)]))
    cases.append(run(nn.SparseCategoricalCrossentropy, {}, [it([2, 0, 1]), p]))
    cases.append(run(nn.SparseCategoricalCrossentropy, {"from_logits": True}, [it([[2], [0], [1]]), f(3, 3)]))
    cases.append(run(nn.PSNR, {"max_val": 2.0}, [f(2, 3), f(2, 3)]))
    cases.append(run(nn.Unfold, {"kernel_size": 2}, [f(1, 2, 3, 3)]))
    cases.append(run(nn.Unfold, {"kernel_size": (2, 3), "dilation": (1, 2), "padding": 1, "stride": 2}, [f(1, 2, 4, 5)]))
    cases.append(run(nn.Fold, {"output_size": 3, "kernel_size": 2}, [f(1, 8, 4)]))
    cases.append(run(nn.Fold, {"output_size": (4, 4), "kernel_size": 2, "padding": 1, "stride": 2}, [f(1, 4, 9)]))
    for data_format in ("channels_last", "channels_first"):
        cases.append(run(nn.DepthToSpace, {"block_size": 2, "data_format": data_format}, [f(1, 4, 4, 4)]))
        cases.append(run(nn.SpaceToDepth, {"block_size": 2, "data_format": data_format}, [f(1, 2, 4, 4)]))
    cases.append(run(math.ExtractSequences, {"sequence_length": 3, "sequence_stride": 2}, [f(2, 8)]))
    cases.append(run(math.RFFT, {}, [f(2, 6)]))
    cases.append(run(math.RFFT, {"fft_length": 8}, [f(5)]))
    cases.append(run(math.IRFFT, {}, [[f(2, 4), f(2, 4)]]))
    cases.append(run(math.IRFFT, {"fft_length": 5}, [[f(3), f(3)]]))
    cases.append(run(math.FFT, {}, [[f(2, 5), f(2, 5)]]))
    frames = {"sequence_length": 5, "sequence_stride": 3, "fft_length": 8}
    for config in ({}, {"window": "hamming", "center": False}, {"window": None}):
        cases.append(run(math.STFT, {**frames, **config}, [f(2, 20)]))
    cases.append(run(image.ExtractPatches, {"size": (2, 2)}, [f(1, 4, 5, 2)]))
    cases.append(run(image.ExtractPatches, {"size": (3, 2), "strides": 1, "padding": "same"}, [f(3, 3, 1)]))
    return cases


def images():
    cases = []
    for interpolation in "nearest bilinear bicubic lanczos3 lanczos5".split():
        config = {"interpolation": interpolation, "data_format": "channels_last"}
        cases.append(run(image.Resize, {"size": (5, 3), **config}, [f(1, 3, 4, 2)]))
        cases.append(run(image.Resize, {"size": (2, 7), **config}, [f(5, 5, 1)]))
        if interpolation != "nearest":
            cases.append(run(image.Resize, {"size": (2, 3), "antialias": True, **config}, [f(1, 5, 6, 1)]))
    cases.append(run(image.Resize, {"size": (4, 2), "data_format": "channels_first"}, [f(1, 2, 3, 3)]))
    cases.append(run(image.Resize, {"size": (3, 3), "crop_to_aspect_ratio": True}, [f(1, 4, 6, 1)]))
    cases.append(run(image.Resize, {"size": (3, 3), "pad_to_aspect_ratio": True, "fill_value": 2.0}, [f(1, 2, 6, 1)]))
    cases.append(run(image.Resize, {"size": (7, 7)}, [i(1, 3, 4, 1)]))
    cases.append(run(image.PadImages, {"top_padding": 1, "left_padding": 2, "target_height": 5, "target_width": 6},
                     [f(1, 3, 2, 1)]))
    cases.append(run(image.PadImages, {"top_padding": 1, "left_padding": 0, "bottom_padding": 2, "right_padding": 1,
                                       "data_format": "channels_first"}, [f(1, 2, 2)]))
    cases.append(run(image.CropImages, {"top_cropping": 1, "left_cropping": 2, "target_height": 2, "target_width": 1},
                     [f(1, 4, 4, 1)]))
    cases.append(run(image.CropImages, {"top_cropping": 1, "left_cropping": 0, "bottom_cropping": 1,
                                        "right_cropping": 1}, [f(4, 3, 2)]))
    cases.append(run(image.RGBToGrayscale, {}, [f(1, 2, 2, 3)]))
    cases.append(run(image.RGBToGrayscale, {"data_format": "channels_first"}, [f(3, 2, 2)]))
    colours = np.concatenate([f(1, 2, 4, 3, lo=0, hi=1), fl([[[[0, 0, 0], [1, 1, 1], [0.5, 0, 0.5], [1, 0, 0]]]])], 1)
    cases.append(run(image.RGBToHSV, {}, [colours]))
    cases.append(run(image.HSVToRGB, {}, [colours]))
    for interpolation in ("nearest", "bilinear"):
        for fill_mode in "constant nearest wrap mirror reflect".split():
            config = {"interpolation": interpolation, "fill_mode": fill_mode, "fill_value": 0.5}
            cases.append(run(image.AffineTransform, config, [f(1, 3, 4, 1), fl([0.9, 0.23, -1.3, -0.4, 1.1, 0.77, 0, 0])]))
    cases.append(run(image.AffineTransform, {"data_format": "channels_first"},
                     [f(2, 2, 3, 3), fl([[1, 0, 1, 0, 1, 0, 0, 0], [0, 1, 0, 1, 0, 0, 0, 0]])]))
    for order in (0, 1):
        for fill_mode in "constant nearest wrap mirror reflect".split():
            config = {"order": order, "fill_mode": fill_mode}
            cases.append(run(image.MapCoordinates, config, [f(3, 4), f(2, 6, lo=-3, hi=6)]))
    cases.append(run(image.GaussianBlur, {"kernel_size": (3, 5), "sigma": (0.8, 1.5)}, [f(1, 5, 5, 2)]))
    cases.append(run(image.SobelEdges, {"data_format": "channels_last"}, [f(1, 4, 3, 2)]))
    for method in ("linear", "bicubic", "lanczos3"):
        cases.append(run(image.ScaleAndTranslate, {"spatial_dims": (0, 1), "method": method},
                         [f(4, 3, 1), (6, 3, 1), fl([1.5, 0.75]), fl([0.4, -0.3])]))
    return cases


def known(name, args, expected, kwargs=None):
    """A case whose answer is NumPy's: TensorFlow is not needed to say what these functions mean."""
    case = {"op": name, "args": encode(list(args)), "expected": outputs(expected)}
    if kwargs:
        case["kwargs"] = encode(kwargs)
    return case


def tensorflow():
    cases = []
    x = f(2, 3)
    positive = f(2, 3, lo=0.1)
    unit = f(2, 3, lo=-0.9, hi=0.9)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    softplus = lambda v: np.log1p(np.exp(v))
    for names, value, function in (
        ("abs math.abs __operators__.abs keras.backend.abs", x, np.abs),
        ("math.negative negative __operators__.neg", x, np.negative),
        ("math.sign sign keras.backend.sign", x, np.sign),
        ("math.exp exp keras.backend.exp keras.activations.exponential", x, np.exp),
        ("math.expm1", x, np.expm1),
        ("math.log keras.backend.log", positive, np.log),
        ("math.log1p", positive, np.log1p),
        ("math.sqrt sqrt", positive, np.sqrt),
        ("keras.backend.sqrt", x, lambda v: np.sqrt(np.maximum(v, 0))),
        ("math.rsqrt", positive, lambda v: 1 / np.sqrt(v)),
        ("math.square square keras.backend.square", x, np.square),
        ("math.reciprocal", positive, np.reciprocal),
        ("math.floor floor", x, np.floor),
        ("math.ceil", x, np.ceil),
        ("math.round round math.rint keras.backend.round", x, np.round),
        ("math.sin sin", x, np.sin),
        ("math.cos cos", x, np.cos),
        ("math.tan tan", unit, np.tan),
        ("math.asin asin", unit, np.arcsin),
        ("math.acos acos", unit, np.arccos),
        ("math.atan atan", x, np.arctan),
        ("math.sinh sinh", x, np.sinh),
        ("math.cosh cosh", x, np.cosh),
        ("math.tanh tanh nn.tanh keras.backend.tanh keras.activations.tanh", x, np.tanh),
        ("math.asinh asinh", x, np.arcsinh),
        ("math.acosh acosh", positive + 1, np.arccosh),
        ("math.atanh atanh", unit, np.arctanh),
        ("math.erf", x, keras.ops.erf),
        ("math.erfc", x, math.erfc),
        ("math.erfinv", unit, keras.ops.erfinv),
        ("math.sigmoid sigmoid nn.sigmoid keras.backend.sigmoid", x, sigmoid),
        ("math.log_sigmoid", x, lambda v: np.log(sigmoid(v))),
        ("math.is_nan", fl([NAN, INF, 1]), np.isnan),
        ("math.is_inf", fl([NAN, INF, 1]), np.isinf),
        ("math.is_finite", fl([NAN, INF, 1]), np.isfinite),
        ("math.logical_not logical_not __operators__.invert", b(4), np.logical_not),
        ("nn.relu keras.backend.relu", x, lambda v: np.maximum(v, 0)),
        ("nn.relu6", x * 5, lambda v: np.clip(v, 0, 6)),
        ("nn.elu", x, keras.ops.elu),
        ("nn.selu", x, keras.ops.selu),
        ("math.softplus nn.softplus keras.backend.softplus", x, softplus),
        ("nn.softsign keras.backend.softsign", x, lambda v: v / (1 + np.abs(v))),
        ("keras.backend.softmax", x, keras.ops.softmax),
        ("keras.backend.hard_sigmoid keras.activations.hard_sigmoid keras.activations.hard_sigmoid_keras2", x * 2,
         lambda v: np.clip(0.2 * v + 0.5, 0, 1)),
        ("nn.silu nn.swish", x, lambda v: v * sigmoid(v)),
        ("nn.gelu", x, lambda v: keras.ops.gelu(v, approximate=False)),
        ("nn.softmax compat.v1.nn.softmax math.softmax", x, keras.ops.softmax),
        ("nn.log_softmax compat.v1.nn.log_softmax math.log_softmax", x, keras.ops.log_softmax),
        ("identity stop_gradient", x, lambda v: v),
    ):
        for name in names.split():
            cases.append(known(name, [value], function(value)))
    for name, function in keras.src.activations.ALL_OBJECTS_DICT.items():
        if name in ("threshold", "hard_sigmoid", "tanh", "exponential"):
            continue
        value = f(2, 4)
        cases.append(known(f"keras.activations.{name}", [value], function(value)))
    y = f(3)
    for names, function in (
        ("math.add add __operators__.add __operators__.radd", np.add),
        ("math.subtract subtract __operators__.sub", np.subtract),
        ("__operators__.rsub", lambda a, c: c - a),
        ("math.multiply multiply __operators__.mul __operators__.rmul", np.multiply),
        ("math.divide divide math.truediv truediv __operators__.truediv compat.v1.div realdiv", np.divide),
        ("__operators__.rtruediv", lambda a, c: c / a),
        ("math.divide_no_nan compat.v1.div_no_nan", np.divide),
        ("math.floordiv floordiv __operators__.floordiv", np.floor_divide),
        ("math.floormod math.mod mod __operators__.mod", np.mod),
        ("math.maximum maximum", np.maximum),
        ("math.minimum minimum", np.minimum),
        ("math.squared_difference", lambda a, c: np.square(a - c)),
        ("math.multiply_no_nan", np.multiply),
        ("math.equal equal __operators__.eq", np.equal),
        ("math.not_equal not_equal __operators__.ne", np.not_equal),
        ("math.less less __operators__.lt", np.less),
        ("math.less_equal less_equal __operators__.le", np.less_equal),
        ("math.greater greater __operators__.gt", np.greater),
        ("math.greater_equal greater_equal __operators__.ge", np.greater_equal),
    ):
        for name in names.split():
            cases.append(known(name, [x], function(x, y), {"y": y}))
    for name in "math.pow pow __operators__.pow".split():
        cases.append(known(name, [positive], np.power(positive, y), {"y": y}))
    cases.append(known("keras.backend.pow", [positive], np.square(positive), {"a": 2}))
    cases.append(known("__operators__.rpow", [y, positive], np.power(positive, y)))
    cases.append(known("math.atan2", [x], np.arctan2(x, y), {"x": y}))
    p, q = b(4), b(4)
    for names, function in (
        ("math.logical_and logical_and __operators__.and", np.logical_and),
        ("math.logical_or logical_or __operators__.or", np.logical_or),
        ("math.logical_xor", np.logical_xor),
    ):
        for name in names.split():
            cases.append(known(name, [p, q], function(p, q)))
    cube = f(2, 3, 2)
    for stem, function in (
        ("reduce_mean", np.mean), ("reduce_sum", np.sum), ("reduce_prod", np.prod), ("reduce_max", np.max),
        ("reduce_min", np.min), ("reduce_logsumexp", lambda v, axis, keepdims=False: np.log(np.sum(np.exp(v), axis, keepdims=keepdims))),
    ):
        for prefix in ("math.", "", "compat.v1."):
            cases.append(known(prefix + stem, [cube], function(cube, axis=1), {"axis": 1}))
        cases.append(known(f"math.{stem}", [cube], function(cube, axis=(0, 2), keepdims=True), {"axis": [0, 2], "keepdims": True}))
        cases.append(known(f"compat.v1.{stem}", [cube], function(cube, axis=1, keepdims=True),
                           {"reduction_indices": [1], "keep_dims": True}))
    for stem, function in (("reduce_any", np.any), ("reduce_all", np.all)):
        value = b(3, 2)
        for prefix in ("math.", "", "compat.v1."):
            cases.append(known(prefix + stem, [value], function(value, axis=0), {"axis": 0}))
    cases.append(known("math.reduce_std", [cube], np.std(cube, axis=1), {"axis": 1}))
    cases.append(known("math.reduce_variance", [cube], np.var(cube, axis=1), {"axis": 1}))
    cases.append(known("math.reduce_euclidean_norm", [x], np.sqrt((x * x).sum(1)), {"axis": 1}))
    cases.append(known("math.count_nonzero", [it([[0, 2], [1, 0]])], it([1, 1]), {"axis": 1}))
    for name, function in (("mean", np.mean), ("sum", np.sum), ("max", np.max), ("min", np.min), ("prod", np.prod),
                           ("std", np.std), ("var", np.var),
                           ("logsumexp", lambda v, axis, keepdims: np.log(np.exp(v).sum(axis, keepdims=keepdims)))):
        cases.append(known(f"keras.backend.{name}", [cube], function(cube, axis=-1, keepdims=True), {"axis": -1, "keepdims": True}))

    cases.append(known("__operators__.getitem", [cube], cube[:, ::-1, None, 1],
                       {"slice_spec": [slice(None), slice(None, None, -1), None, 1]}))
    for name in ("reshape", "compat.v1.reshape", "keras.backend.reshape"):
        cases.append(known(name, [cube], cube.reshape(2, 6), {"shape": [2, -1]}))
    for name in ("transpose", "compat.v1.transpose"):
        cases.append(known(name, [cube], cube.transpose(2, 0, 1), {"perm": [2, 0, 1], "conjugate": False}))
    cases.append(known("keras.backend.permute_dimensions", [cube], cube.transpose(2, 0, 1), {"pattern": [2, 0, 1]}))
    cases.append(known("concat", [[x, x * 2]], np.concatenate([x, x * 2], 1), {"axis": 1}))
    cases.append(known("concat", [x, x * 2], np.concatenate([x, x * 2], 1), {"axis": 1}))
    cases.append(known("keras.backend.concatenate", [[x, x * 2]], np.concatenate([x, x * 2], -1)))
    cases.append(known("stack", [[x, x * 2]], np.stack([x, x * 2], 1), {"axis": 1}))
    cases.append(known("unstack", [x], [x[:, 0], x[:, 1], x[:, 2]], {"axis": 1, "num": 3}))
    cases.append(known("split", [x], [x[:, :1], x[:, 1:2], x[:, 2:]], {"num_or_size_splits": 3, "axis": 1}))
    cases.append(known("split", [x], [x[:, :1], x[:, 1:]], {"num_or_size_splits": [1, -1], "axis": 1}))
    for name in ("squeeze", "compat.v1.squeeze"):
        cases.append(known(name, [x[None]], x, {"axis": [0]}))
    cases.append(known("compat.v1.squeeze", [x[None]], x, {"squeeze_dims": [0]}))
    cases.append(known("keras.backend.squeeze", [x[None]], x, {"axis": 0}))
    for name in ("expand_dims", "compat.v1.expand_dims", "keras.backend.expand_dims"):
        cases.append(known(name, [x], x[..., None], {"axis": -1}))
    cases.append(known("tile", [x], np.tile(x, (2, 1)), {"multiples": [2, 1]}))
    cases.append(known("repeat", [x], np.repeat(x, 2, 1), {"repeats": 2, "axis": 1}))
    for name in ("pad", "compat.v1.pad"):
        cases.append(known(name, [x], np.pad(x, ((1, 0), (0, 2)), constant_values=3),
                           {"paddings": [[1, 0], [0, 2]], "mode": "CONSTANT", "constant_values": 3}))
        cases.append(known(name, [x], np.pad(x, ((1, 0), (0, 2)), mode="reflect"), {"paddings": [[1, 0], [0, 2]], "mode": "REFLECT"}))
    cases.append(known("broadcast_to", [y], np.broadcast_to(y, (2, 3)), {"shape": [2, 3]}))
    cases.append(known("reverse", [x], x[:, ::-1], {"axis": [1]}))
    cases.append(known("roll", [x], np.roll(x, 1, 1), {"shift": 1, "axis": 1}))
    for name in ("cast", "keras.backend.cast"):
        cases.append(known(name, [x], x.astype("int32"), {"dtype": "int32"}))
    cases.append(known("convert_to_tensor", [it([1, 2])], fl([1, 2]), {"dtype": "float32"}))
    cases.append(known("clip_by_value", [x], np.clip(x, -1, 0.5), {"clip_value_min": -1.0, "clip_value_max": 0.5}))
    cases.append(known("keras.backend.clip", [x], np.clip(x, -1, 0.5), {"min_value": -1.0, "max_value": 0.5}))
    for name in ("where", "compat.v1.where"):
        mask = b(2, 3)
        cases.append(known(name, [mask], np.where(mask, x, 0), {"x": x, "y": 0.5 * 0 * x}))
    places = it([[0, 2], [1, 1]])
    for name in ("gather", "compat.v1.gather"):
        cases.append(known(name, [x], x[:, [2, 0]], {"indices": it([2, 0]), "axis": 1, "validate_indices": None, "batch_dims": 0}))
    cases.append(known("gather", [x], x[[1, 0]], {"indices": it([1, 0])}))
    cases.append(known("gather", [x], np.take_along_axis(x, places, 1), {"indices": places, "axis": 1, "batch_dims": 1}))
    for name in ("gather_nd", "compat.v1.gather_nd"):
        cases.append(known(name, [x], x[[0, 1], [2, 0]], {"indices": it([[0, 2], [1, 0]])}))
    cases.append(known("gather_nd", [cube], np.stack([cube[0, 2], cube[1, 1]]), {"indices": it([[2], [1]]), "batch_dims": 1}))
    cases.append(known("slice", [cube], cube[0:1, 1:3, 1:], {"begin": [0, 1, 1], "size": [1, 2, -1]}))
    cases.append(known("strided_slice", [cube], cube[:, 2:0:-1, 1], {
        "begin": [0, 2, 1], "end": [0, 0, 2], "strides": [1, -1, 1], "begin_mask": 1, "end_mask": 1, "shrink_axis_mask": 4}))
    cases.append(known("strided_slice", [cube], cube[None, ..., 0:1], {
        "begin": [0, 0, 0], "end": [0, 0, 1], "ellipsis_mask": 2, "new_axis_mask": 1}))
    cases.append(known("one_hot", [it([1, 0, 5])], fl([[0, 1], [1, 0], [0, 0]]), {"depth": 2}))
    cases.append(known("one_hot", [it([1, 0])], it([[-1, 5], [5, -1]]),
                       {"depth": 2, "on_value": 5, "off_value": -1, "axis": 0, "dtype": "int32"}))
    cases.append(known("fill", [[2, 2], 1.5], np.full((2, 2), 1.5)))
    cases.append(known("zeros", [[2]], np.zeros(2)))
    cases.append(known("ones", [[2]], it([1, 1]), {"dtype": "int32"}))
    for prefix in ("", "compat.v1."):
        cases.append(known(prefix + "zeros_like", [x], np.zeros((2, 3))))
        cases.append(known(prefix + "ones_like", [x], np.ones((2, 3))))
        cases.append(known(prefix + "shape", [cube], it([2, 3, 2])))
        cases.append(known(prefix + "size", [cube], it(12)))
    cases.append(known("rank", [cube], it(3)))
    cases.append(known("range", [2, 9, 3], it([2, 5, 8])))
    cases.append(known("eye", [2, 3], np.eye(2, 3)))
    for name in ("linalg.matmul", "matmul"):
        cases.append(known(name, [cube], cube @ cube.transpose(0, 2, 1), {"b": cube, "transpose_b": True}))
        cases.append(known(name, [x], x.T @ x, {"b": x, "transpose_a": True}))
    cases.append(known("tensordot", [x], np.tensordot(x, cube, [[1], [1]]), {"b": cube, "axes": [[1], [1]]}))
    for name in ("einsum", "linalg.einsum"):
        cases.append(known(name, ["ij,bjk->bik", x, cube], np.einsum("ij,bjk->bik", x, cube)))
    square = f(2, 3, 3)
    cases.append(known("linalg.diag_part", [square], np.diagonal(square, axis1=1, axis2=2)))
    cases.append(known("linalg.trace", [square], np.trace(square, axis1=1, axis2=2)))
    for name in ("norm", "linalg.norm"):
        cases.append(known(name, [x], np.linalg.norm(x, axis=1), {"axis": 1, "ord": "euclidean"}))
    cases.append(known("norm", [x], np.abs(x).sum(1), {"axis": 1, "ord": 1}))
    for name in ("math.l2_normalize", "nn.l2_normalize", "linalg.l2_normalize", "keras.backend.l2_normalize"):
        cases.append(known(name, [x], x / np.sqrt((x * x).sum(1, keepdims=True)), {"axis": 1}))
    for name in ("math.add_n", "add_n", "math.accumulate_n"):
        cases.append(known(name, [[x, x, y + 0 * x]], x + x + y))
    for name in ("math.cumsum", "cumsum"):
        cases.append(known(name, [x], np.cumsum(x, 1), {"axis": 1}))
    cases.append(known("math.cumsum", [fl([1, 2, 3])], fl([0, 1, 3]), {"exclusive": True}))
    cases.append(known("math.cumsum", [fl([1, 2, 3])], fl([5, 3, 0]), {"exclusive": True, "reverse": True}))
    cases.append(known("math.cumprod", [fl([2, 3, 4])], fl([1, 2, 6]), {"exclusive": True}))
    for prefix in ("", "math.", "compat.v1."):
        cases.append(known(prefix + "argmax", [x], x.argmax(1).astype("int32"), {"axis": 1, "output_type": "int64"}))
        cases.append(known(prefix + "argmin", [x], x.argmin(0).astype("int32")))
    for name in ("math.top_k", "nn.top_k"):
        order = np.argsort(-x, 1, kind="stable")[:, :2].astype("int32")
        cases.append(known(name, [x], [np.take_along_axis(x, order, 1), order], {"k": 2}))
    cases.append(known("sort", [x], -np.sort(-x, 1), {"direction": "DESCENDING"}))
    cases.append(known("argsort", [x], np.argsort(x, 1).astype("int32")))
    for name in ("math.segment_sum", "math.unsorted_segment_sum"):
        cases.append(known(name, [fl([1, 2, 3]), it([0, 0, 1]), 2], fl([3, 3])))
    cases.append(known("nn.leaky_relu", [x], np.where(x > 0, x, 0.3 * x), {"alpha": 0.3}))
    cases.append(known("nn.silu", [x], x * sigmoid(2 * x), {"beta": 2.0}))

    line, picture, volume = f(1, 6, 2), f(1, 5, 6, 2), f(1, 3, 3, 3, 1)
    cases.append(known("nn.conv1d", [line], keras.ops.conv(line, kernel := f(3, 2, 2), 2, "same"),
                       {"filters": kernel, "stride": 2, "padding": "SAME"}))
    cases.append(known("nn.conv2d", [picture], keras.ops.conv(picture, kernel := f(2, 3, 2, 1), (2, 1), "valid"),
                       {"filters": kernel, "strides": [1, 2, 1, 1], "padding": "VALID"}))
    cases.append(known("nn.conv3d", [volume], keras.ops.conv(volume, kernel := f(2, 2, 2, 1, 1), 1, "same"),
                       {"filters": kernel, "strides": [1, 1, 1, 1, 1], "padding": "SAME"}))
    cases.append(known("nn.depthwise_conv2d", [picture], keras.ops.depthwise_conv(picture, kernel := f(2, 2, 2, 2), 1, "same"),
                       {"filter": kernel, "strides": [1, 1, 1, 1], "padding": "SAME"}))
    for kind, function in (("max", keras.ops.max_pool), ("avg", keras.ops.average_pool)):
        arguments = {"ksize": 2, "strides": 2, "padding": "SAME"}
        cases.append(known(f"nn.{kind}_pool1d", [line], function(line, 2, 2, "same"), arguments))
        cases.append(known(f"nn.{kind}_pool2d", [picture], function(picture, 2, 2, "same"), arguments))
        cases.append(known(f"nn.{kind}_pool", [picture], function(picture, (2, 1), (1, 2), "valid"),
                           {"ksize": [1, 2, 1, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}))
        cases.append(known(f"nn.{kind}_pool3d", [volume], function(volume, 2, 2, "same"), arguments))
    for name in ("nn.bias_add", "compat.v1.nn.bias_add"):
        cases.append(known(name, [picture], picture + fl([1, -1]), {"bias": fl([1, -1])}))
    cases.append(known("nn.bias_add", [cube], cube + fl([1, 2, 3])[:, None], {"bias": fl([1, 2, 3]), "data_format": "NCHW"}))
    mean, variance, offset, scale = f(2), f(2, lo=0.1), f(2), f(2)
    cases.append(known("nn.batch_normalization", [cube], (cube - mean) / np.sqrt(variance + 0.01) * scale + offset, {
        "mean": mean, "variance": variance, "offset": offset, "scale": scale, "variance_epsilon": 0.01}))
    cases.append(known("nn.moments", [cube], [cube.mean((0, 1)), cube.var((0, 1))], {"axes": [0, 1]}))
    blocks = f(1, 2, 2, 8)
    cases.append(known("nn.depth_to_space", [blocks], nn.depth_to_space(blocks, 2), {"block_size": 2}))
    cases.append(known("nn.space_to_depth", [blocks], nn.space_to_depth(blocks, 2), {"block_size": 2}))
    for method in ("bilinear", "nearest", "bicubic"):
        cases.append(known("image.resize", [picture], keras.ops.image.resize(picture, (3, 8), method),
                           {"size": [3, 8], "method": method}))
    ramp = fl([0, 1, 2, 3]).reshape(1, 1, 4, 1)
    flat = lambda values: fl(values).reshape(1, 1, -1, 1)
    for name, corner, plain in (
        ("bilinear", flat([0, 0.6, 1.2, 1.8, 2.4, 3]), flat([0, 2 / 3, 4 / 3, 2, 8 / 3, 3])),
        ("nearest_neighbor", flat([0, 1, 1, 2, 2, 3]), flat([0, 0, 1, 2, 2, 3])),
    ):
        cases.append(known(f"compat.v1.image.resize_{name}", [ramp], corner, {"size": [1, 6], "align_corners": True}))
        cases.append(known(f"compat.v1.image.resize_{name}", [ramp], plain, {"size": [1, 6]}))
    cases.append(known("image.flip_left_right", [picture], picture[:, :, ::-1]))
    cases.append(known("image.flip_up_down", [picture], picture[:, ::-1]))
    rgb = f(1, 2, 2, 3, lo=0, hi=1)
    cases.append(known("image.rgb_to_grayscale", [rgb], keras.ops.image.rgb_to_grayscale(rgb)))
    cases.append(known("image.grayscale_to_rgb", [rgb[..., :1]], np.repeat(rgb[..., :1], 3, -1)))
    cases.append(known("image.rgb_to_hsv", [rgb], keras.ops.image.rgb_to_hsv(rgb)))
    cases.append(known("image.hsv_to_rgb", [rgb], keras.ops.image.hsv_to_rgb(rgb)))
    cases.append(known("image.per_image_standardization", [rgb], (rgb - rgb.mean()) / max(rgb.std(), 12**-0.5)))
    return cases


def functions():
    """Functions that no raw operation calls, by their names in TypeScript."""
    x = f(2, 4)
    cases = [
        known("bartlett", [5], np.bartlett(5)),
        known("blackman", [5], np.blackman(5)),
        known("hamming", [5], np.hamming(5)),
        known("hanning", [5], np.hanning(5)),
        known("kaiser", [5, 14.0], np.kaiser(5, 14.0)),
        known("eye", [3, 4, -1], np.eye(3, 4, -1)),
        known("identity", [2], np.eye(2)),
        known("tri", [3, 4, 1], np.tri(3, 4, 1)),
        known("zeros", [[2, 2]], np.zeros((2, 2))),
        known("ones", [[2], "int32"], it([1, 1])),
        known("logspace", [0.0, 2.0, 4], np.logspace(0, 2, 4)),
        known("geomspace", [1.0, 8.0, 4], np.geomspace(1, 8, 4)),
        known("shape", [x], it([2, 4])),
        known("cummax", [x, 1], np.maximum.accumulate(x, 1)),
        known("cummin", [x, 1, True], np.minimum.accumulate(x[:, ::-1], 1)[:, ::-1]),
        known("cumsum", [x, 1, True], np.cumsum(x[:, ::-1], 1)[:, ::-1]),
        known("bincount", [it([0, 2, 2]), None, 4], it([1, 0, 2, 0])),
        known("bincount", [it([[0, 2], [1, 1]]), x[:, :2], 3], np.stack([np.bincount(r, w, 3) for r, w in zip([[0, 2], [1, 1]], x[:, :2])])),
        known("arrayEqual", [x, x], np.array(True)),
        known("arrayEqual", [x, x[0]], np.array(False)),
        known("l2Normalize", [np.zeros((1, 2), "float32")], np.zeros((1, 2))),
        known("hardSigmoidKeras2", [x * 3], np.clip(x * 3 * 0.2 + 0.5, 0, 1)),
        known("linear", [x], x),
        known("mish", [x], keras.activations.mish(x)),
        known("getItem", [x, [0, [2, 0]]], x[0, [2, 0]]),
        known("getItem", [x, [it([1, 1]), slice(None, 2)]], x[[1, 1], :2]),
        known("slice", [x, it([1, 3]), [1, 2]], x[1:2, 2:4]),
        known("scatter", [it([[5], [-1], [0]]), fl([7, 8, 9]), [3]], fl([9, 0, 8])),
        known("expandDims", [x, 1], x[:, None]),
        known("flip", [x, 0], x[::-1]),
        known("conv", [x[:, :, None], fl([1, 2, 3]).reshape(3, 1, 1), {"padding": "causal"}],
              np.stack([np.convolve(r, [3, 2, 1])[:4] for r in x])[:, :, None]),
        known("maxPool", [x[:, :, None], 2], x.reshape(2, 2, 2).max(2)[:, :, None]),
        known("maxPool", [it([[[1], [5], [3], [2]]]), 2, {"dataFormat": "channels_last"}], it([[[5], [3]]])),
        known("dotProductAttention", [f(1, 2, 1, 2), f(1, 3, 1, 2), v := f(1, 3, 1, 2), {"mask": np.zeros((1, 1, 2, 3), bool)}],
              np.broadcast_to(v.mean(1, keepdims=True), (1, 2, 1, 2))),
    ]
    return cases


if __name__ == "__main__":
    write("elementwise", elementwise())
    write("arrays", arrays())
    write("networks", networks())
    write("images", images())
    write("tensorflow", tensorflow())
    write("functions", functions())
    assert not FAILURES, "\n".join(FAILURES)
