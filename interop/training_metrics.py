"""Metrics: several updates each, the state and the result after every one."""

import warnings

import keras
import numpy as np
from keras.src import backend
from training_cases import array, number, options, write
from training_losses import Cases as Draws

M = keras.metrics


class Cases(Draws):
    def add(self, name, updates, config=None):
        """One metric over several batches of (y_true, y_pred, sample_weight, mask), the last two optional."""
        metric = getattr(M, name)(**(config or {}))
        steps = []
        for y_true, y_pred, *rest in updates:
            weight, mask = [*rest, None, None][:2]
            prediction = keras.ops.convert_to_tensor(y_pred)
            if mask is not None:
                backend.set_keras_mask(prediction, keras.ops.convert_to_tensor(mask))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                metric.update_state(y_true, prediction, sample_weight=weight)
                result = metric.result()
            step = {"yTrue": array(y_true), "yPred": array(y_pred)}
            if weight is not None:
                step["sampleWeight"] = array(weight)
            if mask is not None:
                step["mask"] = array(mask)
            state = [array(v.value) for v in metric.variables]
            # Long states say nothing that their sums do not; results are kept in full.
            step["state"] = [one if len(one[2]) <= 12 else {"sum": number(sum(one[2]))} for one in state]
            step["result"] = array(result)
            steps.append(step)
        self.cases.append({"metric": name, "config": options(config or {}), "steps": steps})

    def values(self, name, updates):
        """Metrics of values instead of targets and predictions."""
        metric = getattr(M, name)()
        steps = []
        for values, weight in updates:
            metric.update_state(values, sample_weight=weight)
            step = {"yTrue": array(values)}
            if weight is not None:
                step["sampleWeight"] = array(weight)
            step["state"] = [array(v.value) for v in metric.variables]
            step["result"] = array(metric.result())
            steps.append(step)
        self.cases.append({"metric": name, "config": {}, "steps": steps})

    def mask(self, *shape):
        mask = self.rng.integers(0, 2, size=shape).astype(bool)
        mask.flat[0] = True
        return mask


def several(draw, count=2):
    return [draw() for _ in range(count)]


def means(cases):
    for name in ("Mean", "Sum"):
        cases.values(name, [(cases.normal(4), None), (cases.normal(3), None), (cases.normal(2, 3), None)])
        cases.values(name, [(cases.normal(4), cases.uniform(4)), (cases.normal(3, 2), cases.uniform(3))])
        cases.values(name, [(cases.normal(3, 2), cases.uniform(3, 2)), (cases.normal(3, 2, 2), cases.uniform(3, 2))])
        cases.values(name, [(np.float32(2.5), None), (np.float32(-1.0), np.float32(3.0)), (cases.normal(4, 1), cases.uniform(4))])

    def family(name, draw, weights, config=None, masks=True):
        cases.add(name, several(draw), config)
        cases.add(name, several(lambda: (*draw(), weights())), config)
        if masks:
            cases.add(name, several(lambda: (*draw(), None, cases.mask(*weights().shape))), config)
            cases.add(name, several(lambda: (*draw(), weights(), cases.mask(*weights().shape))), config)

    normal = lambda *shape: lambda: (cases.normal(*shape), cases.normal(*shape))
    positive = lambda *shape: lambda: (cases.uniform(*shape), cases.uniform(*shape))
    vector = lambda *shape: lambda: cases.uniform(*shape)
    for name in (
        "MeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "RootMeanSquaredError",
        "CosineSimilarity",
        "LogCoshError",
        "Poisson",
        "KLDivergence",
        "Hinge",
        "SquaredHinge",
        "CategoricalHinge",
        "PearsonCorrelation",
        "ConcordanceCorrelation",
    ):
        draw = positive if name in ("MeanSquaredLogarithmicError", "Poisson", "KLDivergence") else normal
        masks = name != "RootMeanSquaredError"
        family(name, draw(4, 3), vector(4), masks=masks)
        family(name, draw(3, 2, 4), vector(3, 2), masks=masks)
    for name in ("Hinge", "SquaredHinge", "CategoricalHinge"):
        family(name, lambda: (cases.bits(4, 3), cases.normal(4, 3)), vector(4), masks=False)
    for name in ("CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation"):
        cases.add(name, several(normal(3, 4, 2)), {"axis": 1})
    for name in ("MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError"):
        cases.add(name, several(lambda: (cases.normal(5), cases.normal(5, 1))))
        cases.add(name, several(lambda: (cases.normal(5, 1), cases.normal(5, 1), cases.uniform(5, 1))))

    classes = lambda: (cases.one_hot(4, 5), cases.softmax(5, 4))
    family("CategoricalCrossentropy", classes, vector(5))
    for config in ({"from_logits": True}, {"label_smoothing": 0.2}):
        cases.add("CategoricalCrossentropy", several(classes), config)
    cases.add(
        "CategoricalCrossentropy",
        several(lambda: (np.moveaxis(cases.one_hot(3, 2, 4), -1, 1), cases.softmax(2, 3, 4, axis=1))),
        {"axis": 1},
    )
    binary = lambda: (cases.bits(4, 3), cases.uniform(4, 3))
    family("BinaryCrossentropy", binary, vector(4))
    for config in ({"from_logits": True}, {"label_smoothing": 0.2}):
        cases.add("BinaryCrossentropy", several(binary), config)
    sparse = lambda: (cases.rng.integers(0, 4, 5), cases.softmax(5, 4))
    family("SparseCategoricalCrossentropy", sparse, vector(5))
    for config in ({"from_logits": True}, {"ignore_class": 1}):
        cases.add("SparseCategoricalCrossentropy", several(sparse), config)
        cases.add("SparseCategoricalCrossentropy", several(lambda: (*sparse(), cases.uniform(5))), config)
    cases.add(
        "SparseCategoricalCrossentropy",
        several(lambda: (cases.rng.integers(0, 3, (2, 4)), cases.softmax(2, 4, 3), cases.uniform(2, 4))),
        {"ignore_class": 2},
    )

    numbers = lambda: (cases.rng.integers(0, 3, 6), cases.rng.integers(0, 3, 6))
    family("Accuracy", numbers, vector(6))
    family("Accuracy", lambda: tuple(one.reshape(2, 3) for one in numbers()), vector(2))
    family("BinaryAccuracy", binary, vector(4))
    family("BinaryAccuracy", lambda: (cases.bits(5), cases.uniform(5, 1)), vector(5))
    cases.add("BinaryAccuracy", several(binary), {"threshold": 0.7})
    family("CategoricalAccuracy", classes, vector(5))
    family("CategoricalAccuracy", lambda: (cases.one_hot(3, 2, 4), cases.softmax(2, 4, 3)), vector(2, 4))
    family("SparseCategoricalAccuracy", sparse, vector(5))
    family("SparseCategoricalAccuracy", lambda: (cases.rng.integers(0, 4, (5, 1)), cases.softmax(5, 4)), vector(5))
    family("SparseCategoricalAccuracy", lambda: (cases.rng.integers(0, 3, (2, 4)), cases.softmax(2, 4, 3)), vector(2, 4))
    for k in (1, 2, 3):
        family("TopKCategoricalAccuracy", lambda: (cases.one_hot(6, 5), cases.softmax(5, 6)), vector(5), {"k": k}, k == 2)
        family("SparseTopKCategoricalAccuracy", lambda: (cases.rng.integers(0, 6, 5), cases.softmax(5, 6)), vector(5), {"k": k}, k == 2)
    cases.add("TopKCategoricalAccuracy", several(lambda: (cases.one_hot(7, 2, 3), cases.softmax(2, 3, 7))))
    cases.add("SparseTopKCategoricalAccuracy", several(lambda: (cases.rng.integers(0, 7, (2, 3)), cases.softmax(2, 3, 7))))
    ranked = lambda: (cases.rng.integers(0, 6, 4), np.stack([cases.rng.permutation(6) for _ in range(4)]).astype("float32"))
    cases.add("SparseTopKCategoricalAccuracy", several(ranked), {"k": 2, "from_sorted_ids": True})


def confusions(cases):
    flat = lambda: (cases.bits(8), cases.uniform(8, low=0.0, high=1.0))
    matrix = lambda: (cases.bits(4, 3), cases.uniform(4, 3, low=0.0, high=1.0))
    edge = lambda: (cases.bits(6), np.array([0, 0.5, 1, 0.25, 0.75, 0.5], "float32"))
    wide = lambda: (cases.bits(6), cases.normal(6) * 2)
    thresholds = ({}, {"thresholds": 0.3}, {"thresholds": [0.2, 0.6]}, {"thresholds": [0.0, 0.5, 1.0]})
    for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision", "Recall"):
        for config in thresholds:
            cases.add(name, several(flat, 2), config)
            cases.add(name, several(lambda: (*matrix(), cases.uniform(4)), 2), config)
        cases.add(name, [edge(), wide()], {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]})
        cases.add(name, [edge(), wide()], {"thresholds": [0.0, 1.0]})
        cases.add(name, [(*flat(), cases.uniform(8)), (*flat(), cases.uniform(8))])
        cases.add(name, [(*matrix(), cases.uniform(4, 3)), (cases.bits(3, 1), cases.uniform(3, 1), cases.uniform(3, 1))])
        cases.add(name, [(cases.bits(5), cases.uniform(5, 1))])
    for name in ("Precision", "Recall"):
        for config in (
            {"top_k": 2},
            {"class_id": 1},
            {"top_k": 2, "class_id": 0},
            {"top_k": 1, "thresholds": 0.4},
            {"class_id": 2, "thresholds": [0.3, 0.7]},
        ):
            cases.add(name, several(matrix, 2), config)
            cases.add(name, several(lambda: (*matrix(), cases.uniform(4)), 2), config)
        cases.add(name, [(np.zeros(3, "float32"), np.zeros(3, "float32"))])
    for name, key in (
        ("SensitivityAtSpecificity", "specificity"),
        ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"),
        ("RecallAtPrecision", "precision"),
    ):
        for value in (0.2, 0.5, 0.8):
            cases.add(name, several(flat, 3), {key: value})
            cases.add(name, several(lambda: (*flat(), cases.uniform(8)), 2), {key: value, "num_thresholds": 11})
        cases.add(name, several(matrix, 2), {key: 0.4, "num_thresholds": 1})
        cases.add(name, several(matrix, 2), {key: 0.4, "num_thresholds": 2})
        cases.add(name, several(matrix, 2), {key: 0.6, "class_id": 1})
        cases.add(name, several(lambda: (*matrix(), cases.uniform(4)), 2), {key: 0.6, "num_thresholds": 5})

    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "majoring", "minoring"):
            config = {"curve": curve, "summation_method": method}
            cases.add("AUC", several(flat, 3), config)
            cases.add("AUC", [edge(), (*flat(), cases.uniform(8))], {**config, "num_thresholds": 5})
            cases.add("AUC", several(matrix, 2), {**config, "multi_label": True, "num_thresholds": 7})
            weighted = {**config, "multi_label": True, "num_labels": 3, "label_weights": [1.0, 0.5, 2.0]}
            cases.add("AUC", several(lambda: (*matrix(), cases.uniform(4)), 2), weighted)
    for config in (
        {"thresholds": [0.1, 0.4, 0.8]},
        {"thresholds": [0.75, 0.25, 0.5]},
        {"thresholds": [0.3], "curve": "PR"},
        {"from_logits": True},
        {"num_thresholds": 2},
    ):
        cases.add("AUC", several(flat, 2), config)
        cases.add("AUC", several(lambda: (*matrix(), cases.uniform(4)), 2), config)
    cases.add("AUC", several(matrix, 2), {"label_weights": [0.2, 1.0, 0.5]})
    cases.add("AUC", several(matrix, 2), {"label_weights": [0.2, 1.0, 0.5], "thresholds": [0.2, 0.6]})
    cases.add("AUC", several(matrix, 2), {"multi_label": True, "thresholds": [0.2, 0.6]})


def others(cases):
    matrix = lambda: (cases.bits(4, 3), cases.uniform(4, 3, low=0.0, high=1.0))
    for average in (None, "micro", "macro", "weighted"):
        for config in ({}, {"threshold": 0.4}):
            config = {**config, "average": average}
            cases.add("F1Score", several(matrix), config)
            cases.add("F1Score", several(lambda: (*matrix(), cases.uniform(4))), config)
            cases.add("FBetaScore", several(matrix), {**config, "beta": 2.0})
            cases.add("FBetaScore", several(lambda: (*matrix(), cases.uniform(4))), {**config, "beta": 0.5})
    cases.add("F1Score", [(cases.bits(3, 2), np.zeros((3, 2), "float32")), (cases.bits(3, 2), cases.uniform(3, 2))])

    pair = lambda: (cases.normal(5, 2), cases.normal(5, 2))
    close = lambda: (lambda y: (y, y + cases.normal(*y.shape) * np.float32(0.2)))(cases.normal(5, 2))
    for aggregation in ("uniform_average", "variance_weighted_average", None):
        cases.add("R2Score", several(pair), {"class_aggregation": aggregation})
        cases.add("R2Score", several(lambda: (*close(), cases.uniform(5))), {"class_aggregation": aggregation})
        cases.add("R2Score", several(lambda: (*close(), cases.uniform(5, 2))), {"class_aggregation": aggregation})
    for count in (2, 8, 9):
        cases.add("R2Score", several(close), {"num_regressors": count})
    cases.add("R2Score", [(np.ones((3, 1), "float32"), cases.normal(3, 1))])

    numbers = lambda *shape: lambda: (cases.rng.integers(0, 4, shape), cases.rng.integers(0, 4, shape))
    whole = lambda *shape: cases.rng.integers(0, 4, shape)
    for name, config in (
        ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}),
        ("IoU", {"num_classes": 4, "target_class_ids": [3], "dtype": "float32"}),
        ("IoU", {"num_classes": 4, "target_class_ids": [1, 2, 3], "ignore_class": 0}),
        ("MeanIoU", {"num_classes": 4}),
        ("MeanIoU", {"num_classes": 5, "dtype": "float32"}),
        ("MeanIoU", {"num_classes": 3, "ignore_class": 1}),
    ):
        cases.add(name, several(numbers(8)), config)
        cases.add(name, several(lambda: (*numbers(2, 4)(), whole(2, 4))), config)
        cases.add(name, several(lambda: (*numbers(8)(), cases.uniform(8) * 3)), config)
    hot = lambda: (cases.one_hot(3, 2, 4), cases.softmax(2, 4, 3))
    first = lambda: tuple(np.moveaxis(one, -1, 1) for one in hot())
    mixed = lambda: (cases.one_hot(3, 2, 4), cases.rng.integers(0, 3, (2, 4)))
    for config in ({}, {"ignore_class": 1}, {"dtype": "float32"}):
        for name in ("OneHotIoU", "OneHotMeanIoU"):
            full = {"num_classes": 3, **config, **({"target_class_ids": [0, 2]} if name == "OneHotIoU" else {})}
            cases.add(name, several(hot), full)
            cases.add(name, several(lambda: (*hot(), whole(2, 4))), full)
            cases.add(name, several(mixed), {**full, "sparse_y_pred": True})
            cases.add(name, several(hot, 2), {**full, "axis": -1})
    scores = lambda: (cases.bits(6), cases.uniform(6))
    for config in ({}, {"threshold": 0.3}, {"target_class_ids": [1]}, {"target_class_ids": [0], "dtype": "float32"}):
        cases.add("BinaryIoU", several(scores), config)
        cases.add("BinaryIoU", several(lambda: (cases.bits(2, 3), cases.uniform(2, 3))), config)
        cases.add("BinaryIoU", several(lambda: (*scores(), whole(6))), config)


def further(cases):
    """Other shapes and weights of metrics that have few options: at least ten cases of each."""
    cases_of = lambda name: sum(case["metric"] == name for case in cases.cases)
    shapes = ((6,), (2, 5), (3, 2, 2))
    for name in ("Mean", "Sum"):
        for shape in shapes:
            cases.values(name, [(cases.normal(*shape), None), (cases.normal(*shape) * 100, None)])
            cases.values(name, several(lambda: (cases.normal(*shape), cases.uniform(*shape)), 3))
    wide = ((4, 2), (3, 5), (2, 2, 3), (1, 4))
    targets = {
        "CategoricalCrossentropy": lambda shape: (cases.one_hot(shape[-1], *shape[:-1]), cases.softmax(*shape)),
        "CategoricalAccuracy": lambda shape: (cases.one_hot(shape[-1], *shape[:-1]), cases.softmax(*shape)),
        "TopKCategoricalAccuracy": lambda shape: (cases.one_hot(shape[-1], *shape[:-1]), cases.softmax(*shape)),
        "SparseCategoricalCrossentropy": lambda shape: (
            cases.rng.integers(0, shape[-1], shape[:-1]),
            cases.softmax(*shape),
        ),
        "BinaryCrossentropy": lambda shape: (cases.bits(*shape), cases.uniform(*shape)),
        "BinaryAccuracy": lambda shape: (cases.bits(*shape), cases.uniform(*shape)),
        "Accuracy": lambda shape: (cases.rng.integers(0, 3, shape), cases.rng.integers(0, 3, shape)),
    }
    positive = ("MeanSquaredLogarithmicError", "Poisson", "KLDivergence", "MeanAbsolutePercentageError")
    for name in (
        *("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "RootMeanSquaredError", "CosineSimilarity"),
        *("LogCoshError", "Poisson", "KLDivergence", "PearsonCorrelation", "ConcordanceCorrelation"),
        *targets,
    ):
        draw = targets.get(name)
        if draw is None:
            one = cases.uniform if name in positive else cases.normal
            draw = lambda shape: (one(*shape), one(*shape) * np.float32(1.5))
        for shape in wide:
            config = {"k": 2} if name.startswith("TopK") else {}
            # Correlations of what is one sample alone are not defined.
            count = 1 if "Correlation" in name and shape[0] == 1 else 3
            cases.add(name, several(lambda: draw(shape), count), config)
        assert cases_of(name) >= 10, name
    for name in ("IoU", "MeanIoU"):
        config = {"num_classes": 3, **({"target_class_ids": [1]} if name == "IoU" else {})}
        draw = lambda: (cases.rng.integers(0, 3, (3, 3)), cases.rng.integers(0, 3, (3, 3)))
        cases.add(name, several(draw, 3), config)


def main():
    cases = Cases()
    for family in (means, confusions, others, further):
        family(cases)
    write("metrics", cases.cases)
