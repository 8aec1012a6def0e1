/** Values that variables had at a moment, kept while a file of that moment is written and training goes on. */
import type { Tensor } from '../array/tensor.ts';
import type { Variable } from '../graph/variable.ts';

interface Kept {
  readonly value: Tensor;
  holders: number;
}

const keptByVersion = new WeakMap<Variable, Map<number, Kept>>();

/** Keeps the present values of variables until the function that this gives is called. */
export function keepValues(variables: Iterable<Variable>): () => void {
  const releases = [...variables].map((variable) => {
    const { value, version } = variable;
    const versions = keptByVersion.get(variable) ?? new Map<number, Kept>();
    keptByVersion.set(variable, versions);
    const kept = versions.get(version) ?? { value, holders: 0 };
    versions.set(version, kept);
    kept.holders++;
    return () => {
      if (--kept.holders === 0) versions.delete(version);
    };
  });
  return () => {
    for (const release of releases.splice(0)) release();
  };
}

/** The value of a version: the present one, or one that is kept; `undefined` of one that is gone. */
export function valueOfVersion(variable: Variable, version: number): Tensor | undefined {
  return variable.version === version ? variable.value : keptByVersion.get(variable)?.get(version)?.value;
}
