"""Cases of functions of TensorFlow, by the names that files have for them."""

import keras
import numpy as np
from keras.src.ops import math, nn
from ops_cases import INF, NAN, b, f, fl, it, known


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
    # Keras makes its table of a set, whose order is another in each run.
    for name, function in sorted(keras.src.activations.ALL_OBJECTS_DICT.items()):
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
