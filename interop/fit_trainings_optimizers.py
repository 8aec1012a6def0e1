"""Trainings of small models with optimizers, schedules and options that the other trainings do not have."""

import keras
import numpy as np
from fit_recorder import classes, record, rng_for, vectors
from keras import layers as L

S = keras.optimizers.schedules


def regression(name, optimizer, loss="mse", metrics=("mae",)):
    """A small model whose gradients stay away from 0."""
    rng = rng_for(name)
    x = vectors(rng, 5)
    model = keras.Sequential([L.Input((5,)), L.Dense(6, "tanh"), L.Dense(2)])
    y = np.stack([x[:, 0] + 2 * x[:, 1], np.sin(x[:, 2]) - x[:, 3]], axis=1)
    record(name, model, x, y, optimizer, {"loss": loss, "metrics": list(metrics)})


def classification(name, optimizer, loss="categorical_crossentropy", metrics=("accuracy",)):
    rng = rng_for(name)
    x, y = vectors(rng, 6), classes(rng, 3)
    x[np.arange(len(y)), y] += 1.0
    model = keras.Sequential(
        [L.Input((6,)), L.Dense(8, use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(), L.Dense(3, "softmax")]
    )
    options = {"loss": loss, "metrics": list(metrics)}
    record(name, model, x, np.eye(3, dtype="float32")[y], optimizer, options)


def main():
    regression("ftrl", ("Ftrl", {"learning_rate": 0.2, "l1_regularization_strength": 0.001, "beta": 0.1}))
    regression("lion", ("Lion", {"learning_rate": 0.01, "weight_decay": 0.01}))
    regression("muon", ("Muon", {"learning_rate": 0.01, "adam_lr_ratio": 0.5}))
    regression("schedule-free", ("ScheduleFreeAdamW", {"learning_rate": 0.02, "warmup_steps": 10}))
    inner = ("SGD", {"learning_rate": 0.05, "momentum": 0.9})
    config = {"inner_optimizer": inner, "initial_scale": 256.0, "dynamic_growth_steps": 20}
    regression("loss-scale", ("LossScaleOptimizer", config))
    several = (("Adam", {"learning_rate": 0.02}), {".*bias": ("SGD", {"learning_rate": 0.1, "momentum": 0.5})})
    regression("multi-optimizer", ("MultiOptimizer", {"optimizer_map": several}), metrics=["r2_score"])
    ema = {"learning_rate": 0.02, "use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 10}
    classification("ema", ("Adam", ema), "kl_divergence")
    accumulation = {"learning_rate": 0.2, "momentum": 0.9, "nesterov": True, "gradient_accumulation_steps": 3}
    classification("accumulation", ("SGD", {**accumulation, "weight_decay": 0.01}), "dice")
    schedule = S.InverseTimeDecay(0.3, 10, 0.5, staircase=True)
    classification("clip-value", ("SGD", {"learning_rate": schedule, "clipvalue": 0.05}), "tversky", ["AUC"])
    schedule = S.PiecewiseConstantDecay([15, 35], [0.1, 0.03, 0.01])
    classification("piecewise", ("Adagrad", {"learning_rate": schedule}), "categorical_hinge", ["mse"])
    schedule = S.CosineDecay(0.01, 30, warmup_target=0.05, warmup_steps=15)
    optimizer = ("Lamb", {"learning_rate": schedule, "weight_decay": 0.02})
    regression("warm-up", optimizer, "mean_absolute_percentage_error", ["cosine_similarity"])
    regression("nadam", ("Nadam", {"learning_rate": 0.02, "weight_decay": 0.01}), "log_cosh", ["mse"])
