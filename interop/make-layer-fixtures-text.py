"""Writes test/fixtures/layers/sequence/{lookup,text,hashing}.json: layers that Keras runs on TensorFlow only.

Run from the repository root:  python interop/make-layer-fixtures-text.py
Pinned: keras==3.15.1 and tensorflow==2.21.0, which is not in requirements.txt. A second run writes the same bytes.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from layer_cases import case, write

assert keras.__version__ == "3.15.1", keras.__version__

L = keras.layers


class Cases:
    """The cases of one family; they become one file."""

    def __init__(self, family):
        self.family = family
        self.cases = []

    def add(self, name, layer, *inputs, **options):
        given = list(inputs) if len(inputs) > 1 else inputs[0]
        entry = case(name, layer, given, **options)
        mode = entry["config"].get("output_mode")
        # Encodings are declared as floats, whatever the eager call gives.
        if mode not in (None, "int"):
            entry["outputs"] = [{**output, "dtype": "float32"} for output in entry["outputs"]]
        # Weights of tokens stand in the configuration of these cases.
        entry["weights"] = [each for each in entry["weights"] if not each["path"].endswith("idf_weights")]
        entry["supports_masking"] = bool(layer.supports_masking)
        self.cases.append(entry)

    def write(self):
        write("sequence", self.family, self.cases)


MODES = ("one_hot", "multi_hot", "count")
WORDS = ["earth", "wind", "and", "fire", "Grüße", "水"]


def lookup():
    c = Cases("lookup")
    x = np.array([["earth", "wind", "stone"], ["水", "", "Grüße"]])
    column = np.array([["fire"], ["ice"], ["earth"]])
    c.add("StringLookup", L.StringLookup(vocabulary=WORDS), x)
    c.add("StringLookup mask", L.StringLookup(vocabulary=WORDS, mask_token=""), x)
    c.add("StringLookup special tokens", L.StringLookup(vocabulary=["", "[UNK]", *WORDS], mask_token=""), x)
    c.add("StringLookup oov", L.StringLookup(vocabulary=WORDS, num_oov_indices=7), x)
    c.add("StringLookup oov, salt", L.StringLookup(vocabulary=WORDS, num_oov_indices=7, salt=[11, 12]), x)
    c.add("StringLookup known only", L.StringLookup(vocabulary=WORDS, num_oov_indices=0), column[::2])
    for mode in MODES:
        c.add(f"StringLookup {mode}", L.StringLookup(vocabulary=WORDS, output_mode=mode), x)
        c.add(f"StringLookup {mode}, mask", L.StringLookup(vocabulary=WORDS, output_mode=mode, mask_token=""), x)
        c.add(f"StringLookup {mode}, column", L.StringLookup(
            vocabulary=WORDS, output_mode=mode, max_tokens=10, pad_to_max_tokens=True), column)
    idf = [0.5, 1.0, 2.0, 0.25, 3.0, 1.5]
    c.add("StringLookup tf_idf", L.StringLookup(vocabulary=WORDS, idf_weights=idf, output_mode="tf_idf"), x)
    c.add("StringLookup tf_idf padded", L.StringLookup(
        vocabulary=["[UNK]", *WORDS], idf_weights=[0.75, *idf], output_mode="tf_idf", max_tokens=9,
        pad_to_max_tokens=True), x)
    c.add("StringLookup inverse", L.StringLookup(vocabulary=WORDS, invert=True), np.array([[0, 1, 6], [7, 3, 2]]))
    c.add("StringLookup inverse, mask", L.StringLookup(vocabulary=WORDS, invert=True, mask_token="", oov_token="?"),
          np.array([[0, 1, 6], [7, 3, 99]]))
    numbers = [12, -36, 1138, 42, 0]
    n = np.array([[12, 42, 7], [-36, 0, -5], [1138, 9, 12]], "int64")
    c.add("IntegerLookup", L.IntegerLookup(vocabulary=numbers), n)
    c.add("IntegerLookup mask", L.IntegerLookup(vocabulary=numbers[:4], mask_token=0), n)
    c.add("IntegerLookup oov", L.IntegerLookup(vocabulary=numbers, num_oov_indices=3), n)
    c.add("IntegerLookup oov, farmhash", L.IntegerLookup(
        vocabulary=numbers, num_oov_indices=5, oov_method="farmhash"), n)
    c.add("IntegerLookup oov, farmhash, salt", L.IntegerLookup(
        vocabulary=numbers, num_oov_indices=5, oov_method="farmhash", salt=3), n)
    c.add("IntegerLookup known only", L.IntegerLookup(vocabulary=numbers, num_oov_indices=0), n[:1, :2])
    for mode in MODES:
        c.add(f"IntegerLookup {mode}", L.IntegerLookup(vocabulary=numbers[:4], output_mode=mode, mask_token=0), n)
    c.add("IntegerLookup inverse", L.IntegerLookup(vocabulary=numbers, invert=True), np.array([[0, 1, 5], [6, 3, 2]]))
    c.add("IntegerLookup inverse, mask", L.IntegerLookup(
        vocabulary=numbers[:4], invert=True, mask_token=0, oov_token=-7), np.array([[0, 1, 5], [6, 3, -1]]))
    c.write()


def text():
    c = Cases("text")
    x = np.array(["Earth, WIND & fire!", "  and\tand\nfire  ", "", "GRÜSSE don't"])
    vocabulary = ["and", "fire", "earth", "wind", "dont", "grÜsse"]

    def one(title, inputs=x, words=vocabulary, **options):
        # Keras does not infer the length when it is that of the inputs.
        shapes = title != "no split"
        c.add(title, L.TextVectorization(vocabulary=words, **options), inputs, shapes=shapes)

    one("int", output_sequence_length=5)
    one("int, cut", output_sequence_length=2)
    one("int, column", x[:, None], output_sequence_length=4)
    one("lower", output_sequence_length=4, standardize="lower", words=["earth,", "fire!", "&", "and"])
    one("strip punctuation", output_sequence_length=4, standardize="strip_punctuation")
    one("as it is", output_sequence_length=4, standardize=None, words=["WIND", "and"])
    one("characters", output_sequence_length=9, split="character", words=list("aeinrüÜ"))
    one("pairs", output_sequence_length=8, ngrams=2, words=["and", "and and", "and fire", "earth wind"])
    one("groups", output_sequence_length=8, ngrams=(1, 3), words=["fire", "earth wind fire"])
    for mode in ("multi_hot", "count"):
        one(mode, output_mode=mode)
        one(f"{mode}, padded", output_mode=mode, max_tokens=12, pad_to_max_tokens=True)
    one("tf_idf", output_mode="tf_idf", idf_weights=[0.5, 1.0, 2.0, 0.25, 3.0, 1.5])
    words = np.array([["Earth", "wind", "!"], ["and", "", "rain"]])
    one("no split", words, split=None)
    one("no split, longer", words, split=None, output_sequence_length=4)
    one("no split, count", words, split=None, output_mode="count")
    c.write()


def hashing():
    c = Cases("hashing")
    lengths = [0, 1, 3, 4, 7, 8, 12, 16, 17, 31, 32, 33, 50, 64, 65, 100, 127, 128, 129, 200]
    long = np.array(["The quick brown fox jumps over the lazy dog, ä水. " * 5])
    texts = np.array([long[0][:length] for length in lengths])
    x = np.array([["omar", "stringer"], ["marlo", ""]])
    n = np.array([[1, -2, 30], [2147483647, 0, -2147483648]], "int32")
    c.add("Hashing lengths", L.Hashing(num_bins=2000000011), texts)
    c.add("Hashing lengths, salt", L.Hashing(num_bins=2000000011, salt=[133, 137]), texts)
    c.add("Hashing", L.Hashing(num_bins=3), x)
    c.add("Hashing mask", L.Hashing(num_bins=5, mask_value=""), x)
    c.add("Hashing salt", L.Hashing(num_bins=3, salt=1337), x)
    c.add("Hashing integers", L.Hashing(num_bins=1000), n)
    c.add("Hashing integers, mask, salt", L.Hashing(num_bins=100, mask_value=30, salt=[1, -2]), n)
    for mode in MODES:
        c.add(f"Hashing {mode}", L.Hashing(num_bins=4, output_mode=mode), x, shapes=mode != "one_hot")
    c.add("Hashing one_hot column", L.Hashing(num_bins=4, output_mode="one_hot"), x[:, :1])
    a, b = np.array(["A", "B", "A", "水"]), np.array([101, 102, -7, 0])
    c.add("HashedCrossing", L.HashedCrossing(num_bins=1000003), a, b)
    c.add("HashedCrossing of three", L.HashedCrossing(num_bins=50), a, b, a[::-1].copy(), shapes=False)
    c.add("HashedCrossing columns", L.HashedCrossing(num_bins=6, output_mode="one_hot"), a[:, None], b[:, None],
          shapes=False)
    c.write()


lookup()
text()
hashing()
