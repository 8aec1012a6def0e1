/** What a load found: every weight that went where it belongs, and everything that did not. */
import type { PartialShape } from '../array/shape.ts';

export interface ShapeMismatch {
  readonly weight: string;
  /** The weight's name in the file. */
  readonly source: string;
  readonly found: PartialShape;
  readonly expected: PartialShape;
}

export interface UnknownKey {
  readonly layer: string;
  readonly className: string;
  readonly key: string;
  readonly value: unknown;
}

/**
 * The report of a load. A load is clean when `missing`, `unexpected`, `mismatched` and `unknownKeys` are empty; in
 * strict mode anything else is an error.
 */
export interface LoadReport {
  /** The format of the file, and the version of Keras that wrote it, as far as the file says. */
  format: string;
  kerasVersion: string | undefined;
  /** Paths of the weights that got a value. */
  readonly matched: string[];
  /** Paths of the weights for which the file has none. */
  readonly missing: string[];
  /** Names in the file for which the model has no weight. */
  readonly unexpected: string[];
  readonly mismatched: ShapeMismatch[];
  /** Weights that were matched under another name than their own: by order, or by the `rename` option. */
  readonly renamed: { readonly weight: string; readonly source: string }[];
  /** Configuration keys that no layer of this class has. */
  readonly unknownKeys: UnknownKey[];
  /** What was left out on purpose, in words: old keys without meaning, parts that were not asked for. */
  readonly ignored: string[];
}

export function emptyReport(): LoadReport {
  return {
    format: '',
    kerasVersion: undefined,
    matched: [],
    missing: [],
    unexpected: [],
    mismatched: [],
    renamed: [],
    unknownKeys: [],
    ignored: [],
  };
}

/** Whether every weight and key went where it belongs. */
export function isClean(report: LoadReport): boolean {
  const { missing, unexpected, mismatched, unknownKeys } = report;
  return missing.length + unexpected.length + mismatched.length + unknownKeys.length === 0;
}
