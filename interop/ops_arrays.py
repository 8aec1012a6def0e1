"""Cases of operations on numbers one by one, and on arrays."""

import numpy as np
from keras.src.activations.activations import ReLU
from keras.src.ops import core, einops, linalg, math, nn
from keras.src.ops import numpy as knp
from ops_cases import INF, NAN, POSITIVE, SPECIAL, b, f, fl, i, it, run


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
