"""One load by real Keras in a process of its own: prints { "ms", "peakBytes" }, as load-child.ts does."""

import gc
import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras

STATUS = "/proc/self/status"


def kilobytes(field):
    with open(STATUS) as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))


# JAX starts when the first array is made, which is no part of a load.
first = keras.models.load_model(sys.argv[2], compile=False)
gc.collect()
with open("/proc/self/clear_refs", "w") as references:
    references.write("5")
before = kilobytes("VmRSS")
started = time.perf_counter()
model = keras.models.load_model(sys.argv[1])
milliseconds = (time.perf_counter() - started) * 1000
peak = (kilobytes("VmHWM") - before) * 1024
print(json.dumps({"ms": milliseconds, "peakBytes": peak, "version": keras.__version__}))
