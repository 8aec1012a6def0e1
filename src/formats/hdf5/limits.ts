/** Bounds on what a file may ask for. A file is hostile until parsed; each bound has its reason. */

/** The HDF5 library allows 32 dimensions; Keras uses at most 6. */
export const MAX_RANK = 32;

/** A B-tree of two children a node holds 2³² leaves at this depth; real ones have 3 levels at most. */
export const MAX_TREE_DEPTH = 32;

/** All parts of one object header. Keras' largest, with `weight_names` in place, is under 64 KiB. */
export const MAX_OBJECT_HEADER_BYTES = 67_108_864;

/** Datatypes nest: an array of an enumeration of an integer is 3 deep. */
export const MAX_DATATYPE_DEPTH = 8;

/** The filters of one dataset; HDF5 allows 32. */
export const MAX_FILTERS = 32;

/** Sibling nodes of a tree that are requested at once: hides the latency of a remote file. */
export const CONCURRENT_READS = 16;

/**
 * A dataset that says it is larger than this must have stored bytes to show for it. Smaller ones may come wholly from
 * a fill value.
 */
export const MAX_UNBACKED_BYTES = 268_435_456;

/** Deflate gains at most a factor of 1032. */
export const MAX_EXPANSION = 1032;

/** Chunks of one dataset. Real chunks take 16 KiB to 1 MiB, so that this many are beyond any model. */
export const MAX_CHUNKS = 1_000_000;

/** Strings of one dataset, unless the file is longer: an empty string of the fill value costs nothing in the file. */
export const MAX_UNBACKED_STRINGS = 1_000_000;
