/** From nodes of the graph to the plans of the contraction and pooling kernels. */
import { sizeOf } from '../../array/shape.ts';
import type { AnyNode, SymbolicTensor } from '../../graph/node.ts';
import { planDot } from './contract-dot.ts';
import type { ContractPlan } from './contract-plan.ts';

/** The plan for a contraction or pool; undefined for other nodes. */
export function planContraction(node: AnyNode, packed: boolean): ContractPlan | undefined {
  const [left, right] = node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  switch (node.primitive) {
    case 'dot': {
      const { transposeLeft, transposeRight } = node.attributes;
      const [rows, columns] = left.shape.slice(-2) as [number, number];
      const [m, k] = transposeLeft ? [columns, rows] : [rows, columns];
      const n = right.shape.at(transposeRight ? -2 : -1) as number;
      return planDot({ batch: sizeOf(left.shape.slice(0, -2)), m, k, n, transposeLeft, transposeRight, packed });
    }
    default:
      return undefined;
  }
}
