import { bytesPerElement } from '../../array/dtype.ts';
import { Tensor } from '../../array/tensor.ts';
import { UnsupportedError } from '../../errors.ts';
import type { WeightEntry } from '../artifacts.ts';
import { convertElements, type StoredElements } from '../element-conversion.ts';
import type { Hdf5Dataset } from '../hdf5/hdf5-dataset.ts';

/**
 * Describes a dataset as a weight of a model.
 *
 * Two opaque bytes are a bfloat16: HDF5 has no such type, and h5py writes it so, with an attribute that says it only
 * since Keras 3.1 and not in the legacy format.
 *
 * @param name The name under which the model knows the weight.
 * @throws {UnsupportedError} when the elements are of no known type.
 */
export async function datasetEntry(dataset: Hdf5Dataset, name: string, file: string): Promise<WeightEntry> {
  const { shape } = dataset;
  const dtype = dataset.dtype === 'opaque' && dataset.bytesPerElement === 2 ? 'bfloat16' : dataset.dtype;
  if (dtype === 'opaque') {
    const feature = `opaque elements of ${dataset.bytesPerElement} bytes`;
    throw new UnsupportedError(
      `Cannot read weight "${dataset.path}" of "${file}": ${feature} are not supported`,
      feature,
    );
  }
  const storedBytes = await dataset.storedBytes();
  const entry = { name, dtype, shape, file, storedBytes };
  const elementCount = dataset.byteLength / (bytesPerElement(dtype) || dataset.bytesPerElement);
  switch (dtype) {
    case 'string':
      return { ...entry, read: async () => new Tensor(shape, 'string', (await dataset.read()) as string[]) };
    case 'float32':
      return {
        ...entry,
        read: async () => {
          // Straight from the file into the array that is handed over.
          const data = new Float32Array(elementCount);
          await dataset.readInto(data);
          return new Tensor(shape, 'float32', data);
        },
      };
    case 'bfloat16':
      return {
        ...entry,
        read: async () => {
          const halves = new Uint16Array(elementCount);
          await dataset.readInto(halves);
          return convertElements(halves, 'bfloat16', shape, dataset.path, file);
        },
      };
    default:
      return {
        ...entry,
        read: async () => convertElements((await dataset.read()) as StoredElements, dtype, shape, dataset.path, file),
      };
  }
}
