"""Optimizers step by step with given gradients, and schedules over many steps."""

import keras
import numpy as np
from keras.src import backend
from training_cases import array, camel, options, write

O = keras.optimizers
S = keras.optimizers.schedules

WEIGHTS = [
    ("dense/kernel", (3, 4)),
    ("dense/bias", (4,)),
    ("conv/kernel", (2, 1, 3)),
    ("embedding/embeddings", (4, 2)),
    ("scale/gamma", ()),
]
STEPS = 5


def draw():
    """Initial weights, and gradients: usual ones, and ones of which some are not finite."""
    rng = np.random.default_rng(11)
    weights = [np.round(rng.normal(size=shape), 3).astype("float32") for _, shape in WEIGHTS]
    usual = []
    for step in range(STEPS):
        scale = 5.0 if step == 2 else 0.3
        row = [np.round(rng.normal(size=shape) * scale, 3).astype("float32") for _, shape in WEIGHTS]
        row[0][0, 1] = 0
        usual.append(row)
    odd = [[g * np.float32(64.0) for g in row] for row in usual]
    odd[1][1][2] = np.inf
    odd[4][0][1, 1] = np.nan
    return weights, {"usual": usual, "odd": odd}


def schedule(value):
    return {"schedule": type(value).__name__, "config": options(value.get_config())}


def encode(value):
    if isinstance(value, S.LearningRateSchedule):
        return schedule(value)
    if isinstance(value, O.OptimizerMap):
        inner = {key: encode(one) for key, one in value._optimizer_map.items()}
        return {"default": encode(value.default_optimizer), "optimizers": inner}
    if isinstance(value, O.Optimizer):
        return {"optimizer": type(value).__name__, "config": value.given}
    return value


def make(name, config):
    optimizer = getattr(O, name)(**config)
    object.__setattr__(optimizer, "given", {camel(key): encode(value) for key, value in config.items()})
    return optimizer


def apply_stateless(optimizer, gradients, variables):
    """One step as `fit` makes it on JAX."""
    weights, state = optimizer.stateless_apply(
        [v.value for v in optimizer.variables], gradients, [v.value for v in variables]
    )
    for variable, value in zip(list(variables) + optimizer.variables, list(weights) + list(state)):
        variable.assign(value)


class Cases:
    def __init__(self):
        self.weights, self.gradients = draw()
        self.cases = [
            {
                "weights": [{"path": path, "value": array(w)} for (path, _), w in zip(WEIGHTS, self.weights)],
                "gradients": {
                    kind: [[array(g) for g in row] for row in rows] for kind, rows in self.gradients.items()
                },
            }
        ]

    def add(self, name, config=None, use=(0, 1), kind="usual", constraints=None, exclude=None):
        config = config or {}
        optimizer = make(name, config)
        variables = []
        for index in use:
            layer, short = WEIGHTS[index][0].split("/")
            with backend.name_scope(layer):
                variables.append(backend.Variable(self.weights[index], name=short, trainable=True))
        for index, constraint in (constraints or {}).items():
            variables[index].constraint = constraint
        if exclude is not None:
            optimizer.exclude_from_weight_decay(
                var_list=[variables[use.index(index)] for index in exclude.get("variables", [])] or None,
                var_names=exclude.get("names"),
            )
        optimizer.build(variables)
        steps = []
        for row in self.gradients[kind]:
            given = [keras.ops.convert_to_tensor(row[index]) for index in use]
            if name == "LossScaleOptimizer":
                apply_stateless(optimizer, given, variables)
            else:
                optimizer.apply(given, variables)
            steps.append(
                {
                    "weights": [array(v.value) for v in variables],
                    "state": [array(v.value) for v in optimizer.variables],
                }
            )
        case = {"optimizer": name, "config": optimizer.given, "use": list(use), "gradients": kind}
        if constraints:
            case["constraints"] = {
                str(use[index]): [type(c).__name__, options(c.get_config())] for index, c in constraints.items()
            }
        if exclude:
            case["exclude"] = exclude
        case["state"] = [v.path.split("/")[-1] for v in optimizer.variables]
        case["steps"] = steps
        self.cases.append(case)


def rules(cases):
    add = cases.add
    for name in (
        "SGD",
        "RMSprop",
        "Adam",
        "AdamW",
        "Adamax",
        "Nadam",
        "Adagrad",
        "Adadelta",
        "Adafactor",
        "Ftrl",
        "Lion",
        "Lamb",
        "Muon",
        "ScheduleFreeAdamW",
    ):
        add(name, use=(0, 1, 4))
        add(name, {"learning_rate": 0.05, "weight_decay": 0.1})
    add("SGD", {"learning_rate": 0.1, "momentum": 0.9})
    add("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True})
    add("RMSprop", {"learning_rate": 0.02, "momentum": 0.5})
    add("RMSprop", {"learning_rate": 0.02, "centered": True, "epsilon": 1e-3})
    add("RMSprop", {"learning_rate": 0.02, "rho": 0.5, "momentum": 0.9, "centered": True, "epsilon": 1e-2})
    add("Adam", {"learning_rate": 0.02, "amsgrad": True})
    add("Adam", {"learning_rate": 0.02, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3})
    add("AdamW", {"learning_rate": 0.02, "weight_decay": 0.2, "amsgrad": True})
    add("Adamax", {"learning_rate": 0.02, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3})
    add("Nadam", {"learning_rate": 0.02, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3})
    add("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-4})
    add("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3})
    add("Adafactor", {"learning_rate": 0.9, "clip_threshold": 0.5}, use=(2, 1))
    add("Adafactor", {"learning_rate": 0.9, "relative_step": False, "beta_2_decay": -0.5, "epsilon_2": 0.1})
    add("Adafactor", {"learning_rate": S.ExponentialDecay(0.9, 3, 0.5)})
    add("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.2, "l2_regularization_strength": 0.1})
    add(
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.5,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.3,
        },
    )
    add("Lion", {"learning_rate": 0.02, "beta_1": 0.6, "beta_2": 0.8})
    add("Lamb", {"learning_rate": 0.02, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3})
    add("Muon", {"learning_rate": 0.02}, use=(0, 3, 1))
    add("Muon", {"learning_rate": 0.02, "exclude_embeddings": False, "nesterov": False}, use=(0, 3, 1))
    add(
        "Muon",
        {
            "learning_rate": 0.02,
            "exclude_layers": ["^dense"],
            "exclude_embeddings": False,
            "adam_lr_ratio": 0.1,
            "ns_steps": 3,
            "rms_rate": None,
            "momentum": 0.8,
            "weight_decay": None,
            "adam_weight_decay": 0.1,
        },
        use=(3, 0, 1),
    )
    add("ScheduleFreeAdamW", {"learning_rate": 0.02, "warmup_steps": 4, "beta_1": 0.8, "weight_decay": 0.01})


def shared(cases):
    add = cases.add
    rate = {"learning_rate": 0.05}
    for name in ("SGD", "Adam"):
        for config in (
            {"clipnorm": 0.5},
            {"clipvalue": 0.2},
            {"global_clipnorm": 0.7},
            {"use_ema": True, "ema_momentum": 0.8},
            {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
            {"gradient_accumulation_steps": 2},
            {"gradient_accumulation_steps": 3, "weight_decay": 0.1, "clipnorm": 0.5},
            {"loss_scale_factor": 8.0},
        ):
            add(name, {**rate, **config}, use=(0, 1))
    add("SGD", {**rate, "momentum": 0.9, "use_ema": True, "gradient_accumulation_steps": 2}, use=(0, 1))
    add(
        "SGD",
        {**rate, "use_ema": True, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 2},
        use=(0, 1),
    )
    add("Nadam", {**rate, "gradient_accumulation_steps": 2}, use=(0, 1))
    add("RMSprop", {**rate, "momentum": 0.9, "gradient_accumulation_steps": 2, "use_ema": True}, use=(0, 1))
    add("Adam", {**rate, "weight_decay": 0.3}, exclude={"variables": [1]})
    add("AdamW", {**rate, "weight_decay": 0.3}, exclude={"names": ["bias"]})
    add("AdamW", {**rate, "weight_decay": 0.3}, exclude={"variables": [4], "names": ["ias$", "gamma"]}, use=(0, 1, 4))
    constraints = keras.constraints
    for one in (
        constraints.MaxNorm(0.5),
        constraints.MaxNorm(1.0, axis=1),
        constraints.MinMaxNorm(0.5, 0.8, rate=0.7),
        constraints.NonNeg(),
        constraints.UnitNorm(axis=[0, 1]),
    ):
        add("SGD", rate, use=(0, 1), constraints={0: one})
    both = {0: constraints.UnitNorm(), 1: constraints.NonNeg()}
    add("Adam", {**rate, "use_ema": True, "ema_overwrite_frequency": 3}, use=(0, 1), constraints=both)
    add("Adam", {**rate, "gradient_accumulation_steps": 2}, use=(0, 1), constraints=both)
    for one in (
        S.ExponentialDecay(0.1, 2, 0.5),
        S.PiecewiseConstantDecay([1, 3], [0.1, 0.05, 0.01]),
        S.CosineDecay(0.01, 4, warmup_target=0.1, warmup_steps=2),
    ):
        add("SGD", {"learning_rate": one, "momentum": 0.5}, use=(0, 1))
        add("Adam", {"learning_rate": one, "weight_decay": 0.1, "gradient_accumulation_steps": 2}, use=(0, 1))
    for inner in (
        make("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
        make("Adam", {"learning_rate": 0.05, "use_ema": True}),
    ):
        config = {"inner_optimizer": inner, "initial_scale": 64.0, "dynamic_growth_steps": 2}
        add("LossScaleOptimizer", config, use=(0, 1), kind="odd")
    several = lambda: O.OptimizerMap(
        make("Adam", {"learning_rate": 0.05}),
        {".*/bias": make("SGD", {"learning_rate": 0.1, "momentum": 0.9}), "conv/kernel": make("Lion", {})},
    )
    add("MultiOptimizer", {"optimizer_map": several()}, use=(0, 1, 2))
    add("MultiOptimizer", {"optimizer_map": several(), "loss_scale_factor": 4.0}, use=(0, 1))


def combined(cases):
    """What all rules share, with every rule: at least ten cases of each."""
    add = cases.add
    rate = {"learning_rate": 0.05}
    names = sorted({case["optimizer"] for case in cases.cases[1:]} - {"LossScaleOptimizer", "MultiOptimizer"})
    for name in names:
        for config in (
            {"clipnorm": 0.5},
            {"clipvalue": 0.2, "weight_decay": 0.05},
            {"global_clipnorm": 0.7},
            {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2},
            {"gradient_accumulation_steps": 2},
            {"learning_rate": S.InverseTimeDecay(0.1, 2, 0.5)},
            {"learning_rate": S.PolynomialDecay(0.1, 4, 0.02, power=2.0), "clipnorm": 1.0},
            {"loss_scale_factor": 8.0, "use_ema": True},
        ):
            add(name, {**rate, **config}, use=(0, 1) if name == "Muon" else (1, 2))
    for name, config in (
        ("RMSprop", {"momentum": 0.5}),
        ("AdamW", {"weight_decay": 0.1}),
        ("Lamb", {}),
        ("Adagrad", {}),
        ("Lion", {}),
        ("Ftrl", {}),
        ("Adamax", {"clipnorm": 0.5}),
        ("SGD", {"gradient_accumulation_steps": 2}),
    ):
        inner = make(name, {**rate, **config})
        add("LossScaleOptimizer", {"inner_optimizer": inner, "initial_scale": 64.0, "dynamic_growth_steps": 1}, use=(0, 1), kind="odd")
    for default, name, config in (
        ("SGD", "Adam", {}),
        ("Adam", "SGD", {"momentum": 0.9, "nesterov": True}),
        ("RMSprop", "Lion", {}),
        ("Adamax", "Nadam", {}),
        ("Adagrad", "Adadelta", {"learning_rate": 1.0}),
        ("Lamb", "AdamW", {"weight_decay": 0.1}),
        ("Ftrl", "Adafactor", {}),
        ("ScheduleFreeAdamW", "SGD", {"clipnorm": 0.3}),
    ):
        several = O.OptimizerMap(make(default, rate), {".*/bias": make(name, {**rate, **config})})
        add("MultiOptimizer", {"optimizer_map": several}, use=(0, 1))


def schedules():
    cases = []

    def add(one, steps):
        values = [array(one(step))[2][0] for step in steps]
        cases.append({**schedule(one), "steps": list(steps), "values": values})

    few = list(range(0, 26))
    for config in ({}, {"staircase": True}, {"decay_rate": 1.05}, {"decay_steps": 3}, {"initial_learning_rate": 2.5}):
        base = {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}
        add(S.ExponentialDecay(**{**base, **config}), few)
        add(S.InverseTimeDecay(**{**base, **config}), few)
    add(S.PiecewiseConstantDecay([5, 12], [1.0, 0.5, 0.1]), few)
    add(S.PiecewiseConstantDecay([4], [0.1, 0.2]), few)
    add(S.PiecewiseConstantDecay([0, 3, 9, 20], [1.0, 0.3, 0.1, 0.7, 0.05]), few)
    for config in (
        {},
        {"power": 2.0},
        {"cycle": True},
        {"cycle": True, "power": 0.5, "end_learning_rate": 0.01},
        {"end_learning_rate": 0.2},
    ):
        add(S.PolynomialDecay(0.1, 8, **config), few)
    for config in (
        {},
        {"alpha": 0.1},
        {"warmup_target": 0.5, "warmup_steps": 6},
        {"warmup_target": 0.5, "warmup_steps": 6, "alpha": 0.2},
        {"warmup_target": 0.05},
    ):
        add(S.CosineDecay(0.1, 11, **config), few)
    many = list(range(0, 70, 1))
    for config in (
        {},
        {"t_mul": 1.0},
        {"t_mul": 1.5, "m_mul": 0.8},
        {"t_mul": 3.0, "alpha": 0.1},
        {"t_mul": 1.0, "m_mul": 0.5, "alpha": 0.05},
    ):
        add(S.CosineDecayRestarts(0.1, 5, **config), many)
    write("schedules", cases)


def main():
    cases = Cases()
    rules(cases)
    shared(cases)
    combined(cases)
    write("optimizers", cases.cases)
    schedules()
