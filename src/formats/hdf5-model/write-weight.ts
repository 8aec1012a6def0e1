import { UnsupportedError } from '../../errors.ts';
import type { WeightEntry } from '../artifacts.ts';
import { elementBytes } from '../element-bytes.ts';
import type { DatasetSpec } from '../hdf5/write-hdf5.ts';

/**
 * A weight as a dataset, whose elements are read when their turn comes; the counterpart of `datasetEntry`.
 *
 * @throws {UnsupportedError} for other elements than those that models compute with.
 */
export function weightDataset(entry: WeightEntry): DatasetSpec {
  const { dtype, shape, name } = entry;
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw new UnsupportedError(`Cannot write weight "${name}" as ${dtype}: expected float32, int32 or bool`, dtype);
  }
  return { kind: 'dataset', attributes: {}, dtype, shape, read: async () => elementBytes(await entry.read()) };
}
