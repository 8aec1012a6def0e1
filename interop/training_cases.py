"""How the fixtures of training are encoded: `[dtype, shape, elements]` for arrays, camelCase for options."""

import json
import os
import re

import numpy as np

FOLDER = os.path.join(os.path.dirname(__file__), "..", "test", "fixtures", "training")


def number(value):
    """The shortest decimal that is this float32, or a name for what JSON does not have."""
    if np.isnan(value):
        return "nan"
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    value = float(np.format_float_scientific(np.float32(value), unique=True))
    return int(value) if value == int(value) and abs(value) < 2**31 else value


def array(value):
    value = np.asarray(value)
    if value.dtype == bool:
        return ["bool", list(value.shape), [int(x) for x in value.ravel()]]
    if value.dtype.kind in "iu":
        return ["int32", list(value.shape), [int(x) for x in value.ravel()]]
    return ["float32", list(value.shape), [number(x) for x in value.astype("float32").ravel()]]


def camel(key):
    return re.sub(r"(?<=.)_+([a-z0-9])", lambda match: match[1].upper(), key)


def options(config):
    return {camel(key): value for key, value in config.items()}


def write(name, cases):
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, f"{name}.json")
    with open(path, "w") as file:
        file.write("[\n")
        file.write(",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases))
        file.write("\n]\n")
    print(f"{name}: {len(cases)} cases, {os.path.getsize(path)} bytes")
