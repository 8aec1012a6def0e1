"""Writes test/fixtures/hdf5: small HDF5 files, and beside each one what h5py reads from it.

Run from the repository root:  interop/.venv/bin/python interop/make-hdf5-fixtures.py
Pinned: h5py 3.16.0 (HDF5 2.0.0), numpy 2.4.6. Seeded; a second run writes the same bytes, but for `storage.*`: a committed
datatype notes the time, which h5py cannot turn off.

Files are `name.libver.h5` or, where they compress well, `name.libver.h5.gz`; `name.json` holds what all of them say:
    { "path": { "kind": "group", "names": [...], "attributes": {...} }
            | { "kind": "dataset", "shape", "dtype", "data", "attributes" }
            | { "kind": "refused", "feature" } }
Data: strings as a list; other elements as the hex of their little-endian bytes, or "sha256:..." where that is long.
Attributes: JSON values, flat; { "bigint": "..." } and { "hex": "..." } for what JSON has no words for.
Names and attributes of more than 200 elements: { "sha256": "..." } of their compact JSON; such a group's first member
stands for all of them.
"""

import gzip
import hashlib
import json
import pathlib
import shutil

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

assert h5py.__version__ == "3.16.0", h5py.__version__
assert np.__version__ == "2.4.6", np.__version__

FOLDER = pathlib.Path("test/fixtures/hdf5")
LIBVERS = ["earliest", "v108", "v110", "latest"]
MAX_SAFE = 2**53 - 1


create_dataset = h5d.create


def create_without_times(loc, name, tid, space, dcpl=None, **options):
    """Times would make every run write other files."""
    properties = dcpl if dcpl is not None else h5p.create(h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    return create_dataset(loc, name, tid, space, properties, **options)


h5d.create = create_without_times


# What a reader should find.


def json_number(value):
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    value = float(value)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def json_text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def json_attribute(attributes, name):
    value = attributes[name]
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, np.void):
        return {"hex": value.tobytes().hex()}
    if isinstance(value, (str, bytes)):
        return json_text(value)
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        texts = [json_text(item) for item in array.ravel()]
        return shorten(texts) if array.ndim else texts[0]
    if array.dtype.kind == "V":
        return {"hex": array.tobytes().hex()}
    numbers = [json_number(item) for item in array.ravel()]
    if array.dtype.kind in "iu" and any(abs(number) > MAX_SAFE for number in numbers):
        numbers = [{"bigint": str(number)} for number in numbers]
    return shorten(numbers) if array.ndim else numbers[0]


def shorten(values):
    if len(values) <= 200:
        return values
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return {"sha256": hashlib.sha256(text.encode("utf-8")).hexdigest()}


def dtype_name(dataset, dtype):
    if dtype.kind in "OS":
        return "string"
    if dtype.kind == "V":
        return "bfloat16" if dataset.attrs.get("dtype") == "bfloat16" else "opaque"
    return dtype.name


def json_data(dataset):
    if dataset.dtype.kind in "OS":
        return [json_text(item) for item in np.asarray(dataset[()]).ravel()]
    # A native bfloat16 is one that numpy does not have: its bytes are read as they are.
    array = np.asarray(dataset[()])
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return data.hex() if len(data) <= 256 else "sha256:" + hashlib.sha256(data).hexdigest()


def describe(group, path, into, refused, overrides):
    names = sorted(group.keys(), key=lambda name: name.encode("utf-8"))
    into[path] = {
        "kind": "group",
        "names": shorten(names),
        "attributes": {name: json_attribute(group.attrs, name) for name in group.attrs},
    }
    for name in names if len(names) <= 200 else names[:1]:
        child = ("" if path == "/" else path) + "/" + name
        if child in overrides:
            into[child] = overrides[child]
            continue
        if child in refused:
            into[child] = {"kind": "refused", "feature": refused[child]}
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            describe(item, child, into, refused, overrides)
        else:
            into[child] = {
                "kind": "dataset",
                "shape": list(item.shape) + list(item.dtype.shape) if item.shape is not None else [],
                "dtype": dtype_name(item, item.dtype.base),
                "data": json_data(item) if item.shape is not None else "",
                "attributes": {key: json_attribute(item.attrs, key) for key in item.attrs},
            }


def create_small_offsets(path, libver):
    """A file with addresses and sizes of 4 bytes."""
    creation = h5p.create(h5p.FILE_CREATE)
    creation.set_sizes(4, 4)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    version = {"earliest": h5py.h5f.LIBVER_EARLIEST, "latest": h5py.h5f.LIBVER_LATEST}[libver]
    access.set_libver_bounds(version, h5py.h5f.LIBVER_LATEST)
    return h5py.File(h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, creation, access))


def fixture(name, libver, write, compressed=False, refused=(), overrides=None, create=None, **options):
    path = FOLDER / f"{name}.{libver}.h5"
    with create(path, libver) if create else h5py.File(path, "w", libver=libver, **options) as file:
        write(file)
    tree = {}
    with h5py.File(path, "r") as file:
        describe(file, "/", tree, dict(refused), overrides or {})
    expected = FOLDER / f"{name}.json"
    if expected.exists():
        assert json.loads(expected.read_text(encoding="utf-8")) == tree, f"{path} says something else than its siblings"
    expected.write_text(json.dumps(tree, ensure_ascii=False) + "\n", encoding="utf-8")
    if compressed:
        (FOLDER / f"{name}.{libver}.h5.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()


def ramp(shape, dtype="<f4"):
    return (np.arange(int(np.prod(shape)), dtype="f8").reshape(shape) % 251).astype(dtype)


# The fixtures, by what they test.


def write_keras(file):
    """The features that Keras uses, in both of its layouts."""
    rng = np.random.default_rng(1)
    file.attrs["keras_version"] = "3.15.1"
    file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "text": "é" * 800}).encode("utf-8")
    weights = file.create_group("model_weights")
    weights.attrs["layer_names"] = ["dense", "dropout", "größe"]
    weights.attrs["old_names"] = np.array([b"dense", b"dropout_with_a_longer_name"])
    for name in ["dense", "größe"]:
        layer = weights.create_group(name)
        layer.attrs["weight_names"] = [f"{name}/kernel:0", f"{name}/bias:0"]
        layer.create_dataset(f"{name}/kernel:0", data=rng.standard_normal((4, 3)).astype("f4"))
        layer.create_dataset(f"{name}/bias:0", data=rng.standard_normal(3).astype("f4"))
    weights.create_group("dropout").attrs["weight_names"] = []
    variables = file.create_group("_layer_checkpoint_dependencies\\dense\\vars")
    variables.create_dataset("0", data=np.float32(2.5))
    half = variables.create_dataset("1", data=np.array([0x3F80, 0xC000, 0x7FC0], "<u2").view("V2"))
    half.attrs["dtype"] = "bfloat16"


def write_dtypes(file):
    for order, label in (("<", "le"), (">", "be")):
        group = file.create_group(label)
        for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
            info = np.iinfo(kind)
            group.create_dataset(kind, data=np.array([info.min, 0, 1, 77, info.max], order + kind))
        for kind in ["f2", "f4", "f8"]:
            values = [0.0, -0.0, 1.5, -2.25, np.finfo(kind).tiny, np.finfo(kind).max, np.inf, -np.inf, np.nan]
            group.create_dataset(kind, data=np.array(values, order + kind))
    file.create_dataset("bool", data=np.array([[True, False], [False, True]]))
    file.create_dataset("enum", data=np.array([2, 1, 2], "<i2"), dtype=h5py.enum_dtype({"A": 1, "B": 2}, basetype="<i2"))
    file.create_dataset("opaque", data=np.array([b"abc", b"d\0e"], "V3"))
    file.create_dataset("fixed", data=np.array([b"a", b"bcd", b"", b"\xc3\xa9"], "S4"))
    file.create_dataset("utf8", data=np.array(["é".encode(), b"xyz"], h5py.string_dtype("utf-8", 3)))
    file.create_dataset("variable", data=np.array([["one", ""], ["drei drei drei", "日本"]], object), dtype=h5py.string_dtype())
    file.create_dataset("scalar text", data="a string of variable length")
    file.create_dataset("array", data=np.arange(12, dtype="<i4").reshape(2, 6), dtype=None)
    file.create_dataset("array of arrays", shape=(2,), dtype=np.dtype(("<i2", (3, 2))))
    file["array of arrays"][...] = np.arange(12).reshape(2, 3, 2)
    file.create_dataset("null", data=h5py.Empty("f4"))
    file.create_dataset("no elements", shape=(0, 3), dtype="f4")
    file.create_dataset("a/b/../c", data=np.int32(7))
    for padding, name in ((h5t.STR_NULLTERM, "null terminated"), (h5t.STR_SPACEPAD, "space padded")):
        kind = h5t.C_S1.copy()
        kind.set_size(5)
        kind.set_strpad(padding)
        dataset = h5d.create(file.id, name.encode(), kind, h5s.create_simple((2,)))
        dataset.write(h5s.ALL, h5s.ALL, np.array([b"ab   " if padding == h5t.STR_SPACEPAD else b"ab\0zz", b"cd e "], "S5"), kind)


DTYPES_OVERRIDES = {
    # h5py gives these as they are stored.
    "/null terminated": {"kind": "dataset", "shape": [2], "dtype": "string", "data": ["ab", "cd e "], "attributes": {}},
    "/space padded": {"kind": "dataset", "shape": [2], "dtype": "string", "data": ["ab", "cd e"], "attributes": {}},
}


def write_native_bfloat16(file):
    kind = h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_precision(16)
    kind.set_size(2)
    kind.set_ebias(127)
    dataset = h5d.create(file.id, b"bfloat16", kind, h5s.create_simple((3,)))
    dataset.write(h5s.ALL, h5s.ALL, np.array([0x3F80, 0xC000, 0x4049], "<u2").view("V2"), kind)
    tiny = h5t.IEEE_F16LE.copy()
    tiny.set_fields(7, 3, 4, 0, 3)
    tiny.set_precision(8)
    tiny.set_size(1)
    tiny.set_ebias(7)
    h5d.create(file.id, b"float8", tiny, h5s.create_simple((3,)))


BFLOAT16_OVERRIDES = {
    "/bfloat16": {"kind": "dataset", "shape": [3], "dtype": "bfloat16", "data": "803f00c04940", "attributes": {}},
}


def write_attributes(file):
    def fill(attrs):
        attrs["empty list"] = []
        attrs["null"] = h5py.Empty("f4")
        attrs["int"] = 3
        attrs["big"] = np.array([1, 2**63 - 1], "<i8")
        attrs["unsigned"] = np.uint64(2**64 - 1)
        attrs["ints"] = np.array([[1, -2], [3, 4]], ">i2")
        attrs["half"] = np.array([1.5, -0.25], "<f2")
        attrs["double"] = 0.1
        attrs["special"] = np.array([np.nan, np.inf, -np.inf])
        attrs["bool"] = True
        attrs["bools"] = np.array([True, False, True])
        attrs["opaque"] = np.void(b"\x01\x00\x02")
        attrs["text"] = "grüße"
        attrs["empty text"] = ""
        attrs["bytes"] = np.bytes_(b"fixed")
        attrs["texts"] = ["a", "", "日本語"]
        attrs["fixed texts"] = np.array([b"ab", b"c"], "S6")
        attrs.create("array", np.arange(6).reshape(2, 3), dtype=np.dtype(("<i4", (2, 3))))
        attrs["näme"] = 1.0

    fill(file.attrs)
    fill(file.create_dataset("data", data=np.arange(3, dtype="f4")).attrs)


def write_dense_attributes(file):
    for index in range(200):
        file.attrs[f"attribute {index}"] = index * 1.5
    group = file.create_group("ordered", track_order=True)
    for index in range(20):
        group.attrs[f"{20 - index}"] = f"text {index}"
    huge = file.create_dataset("huge", data=np.arange(2))
    for index in range(10):
        huge.attrs[f"small {index}"] = index
    huge.attrs["above 4 KiB"] = np.array([b"weight_%05d" % index for index in range(600)])
    huge.attrs["above 64 KiB"] = np.arange(20000, dtype="<i4")


def write_groups(file):
    file.create_group("empty")
    nested = file
    for depth in range(12):
        nested = nested.create_group(f"level {depth}")
    nested.create_dataset("deep", data=np.int8(5))
    many = file.create_group("many")
    target = file["empty"]
    for index in range(100):
        many[f"member {index * 37 % 100:03d}"] = target
    file.create_group("ordered", track_order=True)
    for name in ["z", "a", "m", "ä", "𝄞", "～", "back\\slash"]:
        file["ordered"].create_dataset(name, data=np.int16(1))
    for index in range(12):
        file.create_group(f"ordered/more {index}", track_order=True)


def write_many_links(file):
    many = file.create_group("many")
    target = file.create_dataset("target", data=np.int8(1))
    for index in range(1100):
        many[f"{index * 7919 % 1100:x}"] = target


def write_long_names(file):
    """A fractal heap large enough for indirect blocks in indirect blocks, and an index of depth 2."""
    many = file.create_group("many")
    target = file.create_dataset("target", data=np.int8(1))
    for index in range(2600):
        many[f"{index:05d}" + "n" * 600] = target


def write_old_chunks(file):
    data = ramp((7, 10))
    file.create_dataset("edges", data=data, chunks=(3, 4))
    file.create_dataset("gzip", data=data, chunks=(4, 10), compression="gzip")
    file.create_dataset("gzip shuffle", data=data, chunks=(2, 5), compression="gzip", shuffle=True)
    file.create_dataset("fletcher32", data=data, chunks=(3, 4), fletcher32=True)
    file.create_dataset("all filters", data=ramp((13,), "<f8"), chunks=(5,), compression=9, shuffle=True, fletcher32=True)
    file.create_dataset("big endian", data=data.astype(">f4"), chunks=(3, 4), compression="gzip")
    file.create_dataset("whole", data=data, chunks=(7, 10))
    file.create_dataset("larger chunk", shape=(2, 3), maxshape=(None, 10), chunks=(8, 5), data=ramp((2, 3)))
    file.create_dataset("odd bytes", data=ramp((11,), "u1"), chunks=(3,), fletcher32=True)
    file.create_dataset("rank 4", data=ramp((3, 3, 5, 4), "<f2"), chunks=(3, 2, 5, 4), compression="gzip")
    text = file.create_dataset("text", data=np.array([b"a", b"bc", b"def"], "S3"), chunks=(2,), compression="gzip")
    text.attrs["chunked"] = True
    file.create_dataset("variable", data=np.array(["x", "yy", "zzz"], object), dtype=h5py.string_dtype(), chunks=(2,))
    file.create_dataset("never written", shape=(5, 5), chunks=(2, 2), fillvalue=1.5, dtype="<f4")
    sparse = file.create_dataset("sparse", shape=(9, 9), chunks=(2, 2), fillvalue=-1, dtype="<i4")
    sparse[4:6, 4:6] = 7
    shrunk = file.create_dataset("shrunk", data=ramp((12, 6)), chunks=(4, 3), maxshape=(None, None))
    shrunk.resize((5, 4))
    masked = file.create_dataset("masked", shape=(4,), chunks=(2,), dtype="<i2", compression="gzip", shuffle=True)
    masked.id.write_direct_chunk((0,), np.array([1, 2], "<i2").tobytes(), filter_mask=3)
    masked[2:] = [3, 4]


def write_tree_levels(file):
    """A version 1 B-tree with internal nodes: 64 children fit in a node."""
    file.create_dataset("deep", data=ramp((40, 10), "u1"), chunks=(1, 1), maxshape=(None, None))


def write_indexes(file):
    data = ramp((7, 10))
    file.create_dataset("single", data=data, chunks=(7, 10))
    file.create_dataset("single gzip", data=data, chunks=(7, 10), compression="gzip", shuffle=True)
    early = h5p.create(h5p.DATASET_CREATE)
    early.set_chunk((3, 4))
    early.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    dataset = h5d.create(file.id, b"implicit", h5t.IEEE_F32LE, h5s.create_simple((7, 10)), early)
    h5py.Dataset(dataset)[...] = data
    file.create_dataset("fixed array", data=data, chunks=(3, 4))
    file.create_dataset("fixed array gzip", data=data, chunks=(3, 4), compression="gzip", fletcher32=True)
    file.create_dataset("fixed array that grows", data=data, chunks=(3, 4), maxshape=(20, 30))
    sparse = file.create_dataset("fixed array sparse", shape=(9, 9), chunks=(2, 2), fillvalue=-1, dtype="<i4")
    sparse[4:6, 4:6] = 7
    file.create_dataset("extensible array", data=data, chunks=(1, 4), maxshape=(None, 10))
    file.create_dataset("extensible array gzip", data=data, chunks=(1, 4), maxshape=(None, 10), compression="gzip")
    file.create_dataset("extensible array, axis 1", data=data, chunks=(3, 1), maxshape=(7, None))
    file.create_dataset("extensible array, axis 1, grows", data=data, chunks=(3, 1), maxshape=(20, None))
    file.create_dataset("B-tree", data=data, chunks=(3, 4), maxshape=(None, None))
    file.create_dataset("B-tree gzip", data=data, chunks=(3, 4), maxshape=(None, None), compression="gzip")
    shrunk = file.create_dataset("shrunk", data=ramp((12, 6)), chunks=(4, 3), maxshape=(None, None))
    shrunk.resize((5, 4))
    file.create_dataset("never written", shape=(5, 5), chunks=(2, 2), fillvalue=1.5, dtype="<f4")


def write_paged_indexes(file):
    file.create_dataset("fixed array", data=ramp((2500,), "u1"), chunks=(1,))
    sparse = file.create_dataset("fixed array sparse", shape=(5000,), dtype="u1", chunks=(1,), compression="gzip")
    sparse[2048:2051] = [1, 2, 3]
    file.create_dataset("extensible array", data=ramp((700,), "u1"), chunks=(1,), maxshape=(None,))
    paged = file.create_dataset("extensible array in pages", shape=(140000,), dtype="u1", chunks=(1,), maxshape=(None,))
    paged[135000:135010] = np.arange(1, 11)
    paged[1] = 9
    file.create_dataset("B-tree", data=ramp((100, 70), "u1"), chunks=(1, 1), maxshape=(None, None))


def write_storage(file):
    def create(name, layout, shape, kind=h5t.IEEE_F32LE, fill=None, alloc=None, data=None):
        properties = h5p.create(h5p.DATASET_CREATE)
        properties.set_layout(layout)
        if fill is not None:
            properties.set_fill_value(np.array(fill, "<f4"))
        if alloc is not None:
            properties.set_alloc_time(alloc)
        space = h5s.create_simple(shape) if shape is not None else h5s.create(h5s.SCALAR)
        dataset = h5py.Dataset(h5d.create(file.id, name, kind, space, properties))
        if data is not None:
            dataset[...] = data

    create(b"compact", h5d.COMPACT, (3, 2), data=ramp((3, 2)))
    create(b"compact scalar", h5d.COMPACT, None, data=2.5)
    create(b"compact big endian", h5d.COMPACT, (2,), kind=h5t.IEEE_F32BE, data=[1, 2])
    create(b"contiguous", h5d.CONTIGUOUS, (3, 2), data=ramp((3, 2)))
    create(b"never written", h5d.CONTIGUOUS, (3, 2))
    create(b"fill value", h5d.CONTIGUOUS, (3, 2), fill=1.25)
    create(b"fill value, early", h5d.CONTIGUOUS, (3, 2), fill=1.25, alloc=h5d.ALLOC_TIME_EARLY)
    file["committed"] = np.dtype("<f4")
    dataset = file.create_dataset("of committed type", data=ramp((4,)), dtype=file["committed"])
    dataset.attrs.create("committed", 2.5, dtype=file["committed"])


def write_small_offsets(file):
    file.attrs["text"] = ["a", "bc"]
    write_attributes(file.create_group("attributes"))
    many = file.create_group("many")
    for index in range(40):
        many.create_group(f"group {index}")
    file.create_dataset("fixed array", data=ramp((7, 10)), chunks=(3, 4), compression="gzip")


def write_refused(file):
    file["here"] = np.arange(3)
    file["soft"] = h5py.SoftLink("/here")
    file["external link"] = h5py.ExternalLink("other.h5", "/here")
    file.create_dataset("external storage", shape=(4,), dtype="u1", external=[("other.bin", 0, 4)])
    layout = h5py.VirtualLayout(shape=(3,), dtype="i8")
    layout[:] = h5py.VirtualSource("other.h5", "here", shape=(3,))
    file.create_virtual_dataset("virtual", layout)
    file.create_dataset("lzf", data=ramp((20,)), chunks=(10,), compression="lzf")
    file.create_dataset("scale-offset", data=ramp((20,), "<i4"), chunks=(10,), scaleoffset=4)
    file.create_dataset("compound", data=np.array([(1, 2.0)], [("a", "i4"), ("b", "f4")]))
    file.create_dataset("reference", data=np.array([file.ref], h5py.ref_dtype))
    file.create_dataset("sequence", shape=(1,), dtype=h5py.vlen_dtype("i4"))


REFUSED = {
    "/soft": "soft link",
    "/external link": "external link",
    "/external storage": "external storage",
    "/virtual": "virtual layout",
    "/lzf": "filter 32000 (lzf)",
    "/scale-offset": "filter 6 (scale-offset)",
    "/compound": "compound",
    "/reference": "reference",
    "/sequence": "variable length",
}


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for libver in LIBVERS:
        fixture("keras", libver, write_keras)
        fixture("attributes", libver, write_attributes, compressed=True)
        fixture("storage", libver, write_storage, refused={"/committed": "named datatype"}, compressed=True)
        fixture("groups", libver, write_groups, compressed=True)
    for libver in ["earliest", "latest"]:
        fixture("dtypes", libver, write_dtypes, overrides=DTYPES_OVERRIDES, compressed=True)
        fixture("chunks", libver, write_old_chunks, compressed=True)
        fixture("user-block", libver, write_keras, userblock_size=1024)
        fixture("small-offsets", libver, write_small_offsets, create=create_small_offsets, compressed=True)
        fixture("refused", libver, write_refused, refused=REFUSED, compressed=True)
    fixture("native-bfloat16", "latest", write_native_bfloat16, overrides=BFLOAT16_OVERRIDES, refused={"/float8": "float of 4"})
    # With libver "latest" HDF5 2.0 writes datasets that grow, but cannot read them with sizes of 4 bytes.
    fixture("small-offsets-chunks", "earliest", write_old_chunks, create=create_small_offsets, compressed=True)
    fixture("tree-levels", "earliest", write_tree_levels, compressed=True)
    fixture("chunk-indexes", "v110", write_indexes, compressed=True)
    fixture("chunk-indexes", "latest", write_indexes, compressed=True)
    fixture("chunk-indexes-paged", "latest", write_paged_indexes, compressed=True)
    fixture("dense-attributes", "latest", write_dense_attributes, compressed=True)
    fixture("dense-links", "v108", write_many_links, compressed=True)
    fixture("dense-links", "earliest", write_many_links, compressed=True)
    fixture("dense-links-deep", "latest", write_long_names, compressed=True)


main()
