"""Writes test/fixtures/ops/*.json: operations of Keras with arguments and what Keras computes.

Made with keras 3.15.1, jax (CPU), numpy; inputs are seeded and rounded, so that a rerun changes nothing.

    KERAS_BACKEND=jax interop/.venv/bin/python interop/make-ops-fixtures.py

Each case is an operation as a saved Functional model holds it: class name, config as `get_config` gives it, call
arguments, and the outputs. Tensors are [dtype, shape, flat values]; NaN and infinities are strings.
"""

import keras
import numpy as np
from ops_arrays import arrays, elementwise
from ops_cases import FAILURES, f, fl, it, known, write
from ops_networks import images, networks
from ops_tensorflow import tensorflow


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
