import type { PrimitiveName } from '../../graph/primitives.ts';
import { contractKernels } from './contract-kernels.ts';
import { controlKernels } from './control-kernels.ts';
import { binaryKernels, choiceKernels, compareKernels, logicalKernels, unaryKernels } from './elementwise-kernels.ts';
import { indexKernels } from './index-kernels.ts';
import type { Kernel } from './kernel.ts';
import { moveKernels } from './move-kernels.ts';
import { poolKernels } from './pool-kernels.ts';
import { cumulativeKernels, reduceKernels } from './reduce-kernels.ts';

/** The interpreter's kernel of each primitive. */
export const kernels: { readonly [K in PrimitiveName]: Kernel<K> } = {
  ...unaryKernels,
  ...binaryKernels,
  ...compareKernels,
  ...logicalKernels,
  ...choiceKernels,
  ...reduceKernels,
  ...cumulativeKernels,
  ...contractKernels,
  ...poolKernels,
  ...indexKernels,
  ...moveKernels,
  ...controlKernels,
};
