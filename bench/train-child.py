"""Steps of a training by real Keras: `python train-child.py BACKEND JIT MODEL INPUT CLASSES THREADS`.

Prints { "version" } when it is ready, and then, for each line of the standard input, does one step and prints
{ "ms", "loss" }. The labels are 0, 1, …, CLASSES − 1, 0, …
"""

import json
import os
import sys
import time

backend, jit, file, input_file, classes, threads = sys.argv[1:]
os.environ["KERAS_BACKEND"] = backend
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ[name] = threads
if hasattr(os, "sched_setaffinity"):
    # JAX starts a thread for each processor that it may use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])

import keras
import numpy as np


def answer(value):
    print(json.dumps(value), flush=True)


def backend_version():
    if backend == "jax":
        import jax

        return jax.__version__
    import tensorflow

    return tensorflow.__version__


model = keras.models.load_model(file, compile=False)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", jit_compile=jit == "jit")
x = np.fromfile(input_file, "float32").reshape((-1, *model.input_shape[1:]))
y = np.arange(len(x)) % int(classes)
answer({"version": f"{keras.__version__} on {backend} {backend_version()}"})
for _ in sys.stdin:
    # Keras gives the mean of the losses since the metrics were last reset.
    model.reset_metrics()
    started = time.perf_counter()
    loss = model.train_on_batch(x, y)
    answer({"ms": (time.perf_counter() - started) * 1000, "loss": float(np.ravel(loss)[0])})
