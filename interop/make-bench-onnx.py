"""Writes models of .cache/bench/ as ONNX, for what of `npm run bench` runs that: NAME.keras becomes NAME.onnx.

Keras exports its models itself, by tf2onnx, which joins the operations of an LSTM to the one that ONNX has. It cannot
export the Gelu of the transformer, and a layer normalization becomes a dozen operations: that model is written by hand
here, with the operations that ONNX has for both, and with one product for queries, keys and values.

Versions: keras==3.15.1 tensorflow-cpu==2.21.0 tf2onnx==1.17.0 onnx==1.23.2
Run:      .cache/bench/tensorflow-venv/bin/python interop/make-bench-onnx.py [NAME …], with the last two in PYTHONPATH
"""

import itertools
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "bench"
OPSET = 20


class GraphWriter:
    """Nodes and weights of a graph in the making; each method adds a node and gives the name of its output."""

    def __init__(self):
        self.nodes = []
        self.weights = []

    def add(self, kind, *inputs, **attributes):
        output = f"{kind}_{len(self.nodes)}"
        names = [value if isinstance(value, str) else self.weight(value) for value in inputs]
        self.nodes.append(helper.make_node(kind, names, [output], output, **attributes))
        return output

    def weight(self, value):
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def dense(self, x, kernel, bias):
        return self.add("Add", self.add("MatMul", x, kernel), bias)

    def normalization(self, x, layer):
        gamma, beta = layer.get_weights()
        return self.add("LayerNormalization", x, gamma, beta, axis=-1, epsilon=layer.epsilon)

    def attention(self, x, layer, tokens):
        query, query_bias, key, key_bias, value, value_bias, outer, outer_bias = layer.get_weights()
        width, heads, size = query.shape
        # The root is taken out of the scores before there are any: as many multiplications less.
        scale = np.float32(1 / np.sqrt(size))
        kernel = np.concatenate([part.reshape(width, -1) for part in (query * scale, key, value)], axis=1)
        bias = np.concatenate([part.reshape(-1) for part in (query_bias * scale, key_bias, value_bias)])
        shape = np.array([-1, tokens, 3, heads, size], "int64")
        joined = self.add("Reshape", self.dense(x, kernel, bias), shape)
        split = self.add("Transpose", joined, perm=[2, 0, 3, 1, 4])
        query, key, value = (self.add("Gather", split, np.array(part, "int64"), axis=0) for part in range(3))
        scores = self.add("MatMul", query, self.add("Transpose", key, perm=[0, 1, 3, 2]))
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), value)
        rows = self.add("Transpose", mixed, perm=[0, 2, 1, 3])
        flat = self.add("Reshape", rows, np.array([-1, tokens, heads * size], "int64"))
        return self.dense(flat, outer.reshape(heads * size, -1), outer_bias)


def transformer(model):
    tokens, width = model.input_shape[1:]
    graph = GraphWriter()
    layers = {layer.name: layer for layer in model.layers}
    x = "tokens"
    for index in itertools.count():
        if f"block_{index}_norm_1" not in layers:
            break
        part = {name: layers[f"block_{index}_{name}"] for name in ("norm_1", "attention", "norm_2", "inner", "outer")}
        x = graph.add("Add", x, graph.attention(graph.normalization(x, part["norm_1"]), part["attention"], tokens))
        y = graph.dense(graph.normalization(x, part["norm_2"]), *part["inner"].get_weights())
        x = graph.add("Add", x, graph.dense(graph.add("Gelu", y), *part["outer"].get_weights()))
    result = graph.normalization(x, layers["norm"])
    shape = ["batch", tokens, width]
    start, end = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("tokens", result))
    whole = helper.make_graph(graph.nodes, model.name, [start], [end], graph.weights)
    # The version of the file, not of the operations: one that older runtimes read as well.
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


BY_HAND = {"transformer-384": transformer}


def main(names):
    for name in names:
        model = keras.models.load_model(FOLDER / f"{name}.keras", compile=False)
        file = FOLDER / f"{name}.onnx"
        unfinished = FOLDER / f"{name}.unfinished.onnx"
        if name in BY_HAND:
            written = BY_HAND[name](model)
            onnx.checker.check_model(written)
            onnx.save(written, unfinished)
        else:
            # Exports what has been called, and for the shapes of the call.
            model(np.zeros((1, *model.input_shape[1:]), "float32"))
            model.export(unfinished, format="onnx", verbose=False)
        unfinished.rename(file)


main(sys.argv[1:])
