"""Predictions by Keras on TensorFlow: `python predict-child.py MODEL INPUT THREADS`.

Prints { "version" } when it is ready; then answers each line of the standard input: `answer` with the outputs, `turn N`
with the milliseconds of a call, N of which follow one that is not timed. A call takes a NumPy array and gives one.
"""

import json
import os
import sys
import time

file, input_file, threads = sys.argv[1:]
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(int(threads))


def answer(value):
    print(json.dumps(value), flush=True)


model = keras.models.load_model(file, compile=False)
x = np.fromfile(input_file, "float32").reshape((-1, *model.input_shape[1:]))
call = tf.function(lambda inputs: model(inputs, training=False), input_signature=[tf.TensorSpec(x.shape, tf.float32)])
answer({"version": f"{keras.__version__} on TensorFlow {tf.__version__}"})
for line in sys.stdin:
    word, *rest = line.split()
    output = call(x).numpy()
    if word == "answer":
        answer(output.ravel().tolist())
        continue
    count = int(rest[0])
    started = time.perf_counter()
    for _ in range(count):
        call(x).numpy()
    answer((time.perf_counter() - started) * 1000 / count)
