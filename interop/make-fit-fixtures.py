"""Writes test/fixtures/fit: trainings recorded with Keras on JAX, of 52 steps or more each.

Run from the repository root:  interop/.venv/bin/python interop/make-fit-fixtures.py [name …]
Pinned: the versions of requirements.txt (keras 3.15.1, jax 0.10.2). Seeded; a second run writes the same bytes.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import fit_trainings
import fit_trainings_layers
import fit_trainings_optimizers
import keras

assert keras.__version__ == "3.15.1", keras.__version__

fit_trainings.main()
fit_trainings_layers.main()
fit_trainings_optimizers.main()
