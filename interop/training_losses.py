"""Cases of losses: every class in several shapes, with its options, with weights, masks and reductions."""

import keras
import numpy as np
from keras.src import backend
from training_cases import array, options, write

L = keras.losses
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"]


class Cases:
    def __init__(self):
        self.cases = []
        self.rng = np.random.default_rng(3)

    def normal(self, *shape):
        return np.round(self.rng.normal(size=shape), 3).astype("float32")

    def uniform(self, *shape, low=0.02, high=0.98):
        return np.round(self.rng.uniform(low, high, size=shape), 3).astype("float32")

    def softmax(self, *shape, axis=-1):
        x = np.exp(self.rng.normal(size=shape) * 1.5)
        return np.round(x / x.sum(axis, keepdims=True), 4).astype("float32")

    def one_hot(self, classes, *shape):
        return np.eye(classes, dtype="float32")[self.rng.integers(0, classes, size=shape)]

    def bits(self, *shape):
        return self.rng.integers(0, 2, size=shape).astype("float32")

    def add(self, name, y_true, y_pred, config=None, sample_weight=None, mask=None):
        config = config or {}
        loss = getattr(L, name)(**config)
        prediction = keras.ops.convert_to_tensor(y_pred)
        values = loss.call(keras.ops.convert_to_tensor(y_true, dtype="float32"), prediction)
        if mask is not None:
            backend.set_keras_mask(prediction, keras.ops.convert_to_tensor(mask))
        expected = loss(y_true, prediction, sample_weight=sample_weight)
        case = {"loss": name, "config": options(config), "yTrue": array(y_true), "yPred": array(y_pred)}
        if sample_weight is not None:
            case["sampleWeight"] = array(sample_weight)
        if mask is not None:
            case["mask"] = array(mask)
        case["values"] = array(values)
        case["expected"] = array(expected)
        self.cases.append(case)

    def reductions(self, name, make, weights, config=None):
        """All reductions, with and without weights, and with masks."""
        for reduction in REDUCTIONS:
            y_true, y_pred = make()
            self.add(name, y_true, y_pred, {**(config or {}), "reduction": reduction}, weights())
        for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
            y_true, y_pred = make()
            weight = weights()
            mask = self.rng.integers(0, 2, size=weight.shape).astype(bool)
            mask.flat[0] = True
            self.add(name, y_true, y_pred, {**(config or {}), "reduction": reduction}, weight, mask)
        y_true, y_pred = make()
        mask = np.array(self.rng.integers(0, 2, size=weights().shape), dtype=bool)
        mask.flat[0] = True
        self.add(name, y_true, y_pred, config, None, mask)
        y_true, y_pred = make()
        self.add(name, y_true, y_pred, config, None, np.zeros_like(mask))


def regression(cases):
    for name in (
        "MeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "CosineSimilarity",
        "Huber",
        "LogCosh",
        "Poisson",
    ):
        positive = name in ("MeanSquaredLogarithmicError", "Poisson")
        draw = cases.uniform if positive else cases.normal
        cases.add(name, draw(4, 3), draw(4, 3))
        cases.add(name, draw(5), draw(5, 1))
        cases.add(name, draw(5, 1), draw(5))
        cases.add(name, draw(2, 3, 4), draw(2, 3, 4))
        cases.add(name, draw(2, 3, 2, 2), draw(2, 3, 2, 2), {"reduction": "sum"})
        cases.add(name, cases.bits(3, 2), draw(3, 2), {"reduction": "none"})
        cases.add(name, draw(4, 3) * 0, draw(4, 3))
        cases.reductions(name, lambda: (draw(4, 3), draw(4, 3)), lambda: cases.uniform(4))
        cases.reductions(name, lambda: (draw(2, 3, 2), draw(2, 3, 2)), lambda: cases.uniform(2, 3))
        cases.add(name, draw(4, 3), draw(4, 3), None, cases.uniform(4, 1))
    for delta in (0.5, 2.0):
        cases.add("Huber", cases.normal(3, 4), cases.normal(3, 4), {"delta": delta})
    for axis in (1, -2):
        cases.add("CosineSimilarity", cases.normal(3, 4, 2), cases.normal(3, 4, 2), {"axis": axis})
    cases.add("LogCosh", cases.normal(2, 2) * 50, cases.normal(2, 2) * 50)


def probabilistic(cases):
    for name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy", "KLDivergence"):
        pair = lambda: (cases.one_hot(4, 5), cases.softmax(5, 4))
        cases.add(name, *pair())
        cases.add(name, cases.softmax(5, 4), cases.softmax(5, 4))
        cases.add(name, cases.one_hot(3, 2, 3), cases.softmax(2, 3, 3))
        cases.add(name, cases.one_hot(4, 2), np.eye(4, dtype="float32")[:2])
        cases.reductions(name, pair, lambda: cases.uniform(5))
    for name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy"):
        for config in (
            {"from_logits": True},
            {"label_smoothing": 0.2},
            {"from_logits": True, "label_smoothing": 0.1},
        ):
            scores = cases.normal(5, 4) * 3 if config.get("from_logits") else cases.softmax(5, 4)
            cases.add(name, cases.one_hot(4, 5), scores, config)
        for axis in (1, -2):
            target = np.moveaxis(cases.one_hot(3, 2, 4), -1, 1)
            cases.add(name, target, cases.softmax(2, 3, 4, axis=1), {"axis": axis})
            cases.add(name, target, cases.normal(2, 3, 4), {"axis": axis, "from_logits": True})
    cases.add("CategoricalFocalCrossentropy", *pair(), {"alpha": 0.5, "gamma": 1.0})
    cases.add("CategoricalFocalCrossentropy", *pair(), {"alpha": [0.1, 0.2, 0.3, 0.4], "gamma": 3.5})

    for name in ("BinaryCrossentropy", "BinaryFocalCrossentropy"):
        pair = lambda: (cases.bits(4, 3), cases.uniform(4, 3))
        cases.add(name, *pair())
        cases.add(name, cases.bits(6), cases.uniform(6, 1))
        cases.add(name, cases.uniform(2, 3, 2), cases.uniform(2, 3, 2))
        cases.add(name, cases.bits(4, 3), cases.bits(4, 3))
        for config in (
            {"from_logits": True},
            {"label_smoothing": 0.2},
            {"from_logits": True, "label_smoothing": 0.1},
            {"axis": 1},
            {"axis": 0, "reduction": "none"},
        ):
            scores = cases.normal(4, 3) * 4 if config.get("from_logits") else cases.uniform(4, 3)
            cases.add(name, cases.bits(4, 3), scores, config)
        cases.reductions(name, pair, lambda: cases.uniform(4))
    for config in (
        {"apply_class_balancing": True},
        {"apply_class_balancing": True, "alpha": 0.7, "gamma": 1.0},
        {"gamma": 4.0, "from_logits": True},
    ):
        cases.add("BinaryFocalCrossentropy", cases.bits(4, 3), cases.uniform(4, 3), config)

    name = "SparseCategoricalCrossentropy"
    pair = lambda: (cases.rng.integers(0, 4, 5), cases.softmax(5, 4))
    cases.add(name, *pair())
    cases.add(name, cases.rng.integers(0, 4, (5, 1)), cases.softmax(5, 4))
    cases.add(name, cases.rng.integers(0, 3, (2, 4)), cases.softmax(2, 4, 3))
    cases.add(name, cases.rng.integers(0, 3, (2, 4, 1)), cases.softmax(2, 4, 3))
    cases.add(name, cases.rng.integers(0, 4, 5), cases.normal(5, 4) * 3, {"from_logits": True})
    cases.add(name, cases.rng.integers(0, 3, (2, 3)), cases.softmax(2, 3, 3, axis=1), {"axis": 1})
    cases.add(name, cases.rng.integers(0, 3, (2, 3)), cases.normal(2, 3, 3), {"axis": -2, "from_logits": True})
    for config in (
        {"ignore_class": 0},
        {"ignore_class": -1},
        {"ignore_class": 255, "from_logits": True},
        {"ignore_class": 2, "reduction": "none"},
        {"ignore_class": 1, "reduction": "sum"},
        {"ignore_class": 1, "reduction": "mean_with_sample_weight"},
    ):
        target = cases.rng.integers(0, 4, 6)
        if config["ignore_class"] not in range(4):
            target[[1, 4]] = config["ignore_class"]
        cases.add(name, target, cases.softmax(6, 4), config)
        cases.add(name, target, cases.softmax(6, 4), config, cases.uniform(6), target == target)
    cases.add(name, cases.rng.integers(0, 3, (2, 4)), cases.softmax(2, 4, 3), {"ignore_class": 1})
    cases.add(name, cases.rng.integers(0, 3, (2, 3)), cases.softmax(2, 3, 3, axis=1), {"axis": 1, "ignore_class": 2})
    cases.reductions(name, pair, lambda: cases.uniform(5))

    name = "CategoricalGeneralizedCrossEntropy"
    pair = lambda: (cases.rng.integers(0, 4, 5), cases.softmax(5, 4))
    cases.add(name, *pair())
    for q in (0.1, 0.7, 0.99):
        cases.add(name, *pair(), {"q": q})
    cases.add(name, cases.rng.integers(0, 3, (2, 4)), cases.softmax(2, 4, 3))
    cases.reductions(name, pair, lambda: cases.uniform(5))


def margins(cases):
    for name in ("Hinge", "SquaredHinge", "CategoricalHinge"):
        draw = lambda: (cases.bits(4, 3) * 2 - 1, cases.normal(4, 3))
        cases.add(name, cases.bits(4, 3), cases.normal(4, 3))
        cases.add(name, *draw())
        cases.add(name, cases.normal(4, 3), cases.normal(4, 3))
        cases.add(name, cases.one_hot(3, 2, 3), cases.normal(2, 3, 3))
        cases.add(name, cases.bits(5), cases.normal(5, 1))
        cases.reductions(name, draw, lambda: cases.uniform(4))


def others(cases):
    for name in ("Dice", "Tversky"):
        for shape in ((3, 4), (2, 3, 3, 2)):
            cases.add(name, cases.bits(*shape), cases.uniform(*shape))
            cases.add(name, cases.uniform(*shape), cases.uniform(*shape), {"reduction": "none"})
            cases.add(name, cases.bits(*shape), cases.uniform(*shape), {"axis": 1})
            cases.add(name, cases.bits(*shape), cases.uniform(*shape), {"axis": -1, "reduction": "sum"})
        for axis in ([1, 2], (1, 2, 3), [0, -1]):
            cases.add(name, cases.bits(2, 3, 3, 2), cases.uniform(2, 3, 3, 2), {"axis": list(axis)})
        cases.add(name, np.zeros((2, 3), "float32"), np.zeros((2, 3), "float32"))
        cases.add(name, cases.bits(3, 4), cases.uniform(3, 4), {"axis": 1}, cases.uniform(3))
    for config in ({"alpha": 0.3, "beta": 0.7}, {"alpha": 1.0, "beta": 0.2, "axis": 1}):
        cases.add("Tversky", cases.bits(3, 4), cases.uniform(3, 4), config)

    def embeddings(count, features):
        x = cases.normal(count, features)
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    for count, labels, config in (
        (6, 2, {}),
        (8, 3, {}),
        (6, 2, {"remove_diagonal": False}),
        (6, 3, {"gamma": 20.0}),
        (6, 3, {"margin": 0.2}),
        (5, 5, {}),
        (6, 2, {"reduction": "none", "gamma": 10.0}),
        (6, 2, {"reduction": "sum", "gamma": 10.0}),
        (7, 3, {"gamma": 5.0, "margin": 0.1, "remove_diagonal": False}),
    ):
        cases.add("Circle", cases.rng.integers(0, labels, count), embeddings(count, 4), config)
    cases.add("Circle", cases.rng.integers(0, 2, 6), embeddings(6, 3), {"gamma": 4.0}, cases.uniform(6))
    cases.add("Circle", cases.rng.integers(0, 2, (6, 1)), embeddings(6, 3), {"gamma": 4.0})

    for labels, steps, classes, config in (
        ([[1, 2, 3]], 6, 4, {}),
        ([[1, 1, 2]], 6, 4, {}),
        ([[1, 2, 0], [3, 3, 3]], 7, 4, {}),
        ([[1, 2, 0], [3, 0, 0], [0, 0, 0]], 5, 4, {"reduction": "none"}),
        ([[2, 2, 2]], 5, 3, {}),
        ([[1, 2, 3, 4]], 4, 5, {}),
        ([[1]], 3, 2, {}),
        ([[1, 2], [2, 1]], 8, 3, {"reduction": "sum"}),
        ([[4, 4, 1, 0, 0], [2, 3, 2, 1, 4]], 12, 5, {}),
    ):
        cases.add("CTC", np.array(labels), cases.normal(len(labels), steps, classes) * 2, config)
    cases.add("CTC", np.array([[1, 2], [2, 0]]), cases.normal(2, 5, 3), {}, cases.uniform(2))


def penalties():
    """What regularizers add to the loss, and what constraints make of weights."""
    cases = []
    rng = np.random.default_rng(5)

    def add(role, one, *shape, scale=1.0):
        x = np.round(rng.normal(size=shape) * scale, 3).astype("float32")
        cases.append(
            {
                "role": role,
                "className": type(one).__name__,
                "config": options(one.get_config()),
                "input": array(x),
                "expected": array(one(keras.ops.convert_to_tensor(x))),
            }
        )

    R, C = keras.regularizers, keras.constraints
    for shape in ((3, 4), (5,), (2, 2, 3)):
        for one in (R.L1(), R.L1(0.2), R.L2(), R.L2(0.3), R.L1L2(0.1, 0.2), R.L1L2(l1=0.0, l2=0.5), R.L1L2()):
            add("regularizer", one, *shape)
    for mode in ("rows", "columns"):
        for shape in ((3, 4), (5, 2), (2, 6)):
            add("regularizer", R.OrthogonalRegularizer(0.05, mode=mode), *shape)
    for shape in ((3, 4), (2, 2, 3)):
        for scale in (0.3, 3.0):
            for one in (
                C.MaxNorm(),
                C.MaxNorm(0.5, axis=1),
                C.MaxNorm(1.0, axis=[0, 1]),
                C.MinMaxNorm(),
                C.MinMaxNorm(0.5, 0.8, rate=0.7, axis=-1),
                C.NonNeg(),
                C.UnitNorm(),
                C.UnitNorm(axis=[0, 1]),
            ):
                add("constraint", one, *shape, scale=scale)
    write("penalties", cases)


def main():
    penalties()
    cases = Cases()
    for family in (regression, probabilistic, margins, others):
        family(cases)
    write("losses", cases.cases)
