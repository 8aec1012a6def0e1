"""Writes test/fixtures/training: what Keras computes with losses, metrics, optimizers and schedules.

Run from the repository root:  interop/.venv/bin/python interop/make-training-fixtures.py
Pinned: the versions of requirements.txt (keras 3.15.1, jax 0.10.2). Seeded; a second run writes the same bytes.
"""

import inspect
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import training_cases
import training_losses
import training_metrics
import training_optimizers

assert keras.__version__ == "3.15.1", keras.__version__

BASES = {"Loss", "Metric", "MeanMetricWrapper", "Optimizer", "OptimizerMap", "LearningRateSchedule"}
BASES |= {"Regularizer", "Constraint"}


def classes():
    """The names of all classes that Keras exports, without bases and without aliases."""
    modules = {
        "losses": keras.losses,
        "metrics": keras.metrics,
        "optimizers": keras.optimizers,
        "schedules": keras.optimizers.schedules,
        "regularizers": keras.regularizers,
        "constraints": keras.constraints,
    }
    return [
        {kind: sorted({one.__name__ for one in vars(module).values() if inspect.isclass(one)} - BASES)}
        for kind, module in modules.items()
    ]


training_cases.write("classes", classes())
training_losses.main()
training_optimizers.main()
training_metrics.main()
