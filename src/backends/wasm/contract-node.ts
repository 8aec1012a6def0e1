/** From nodes of the graph to the plans of the contraction and pooling kernels. */
import { sizeOf } from '../../array/shape.ts';
import type { AnyNode, SymbolicTensor } from '../../graph/node.ts';
import { planConvolve, planConvolveInputGradient } from './contract-convolve.ts';
import { planDot } from './contract-dot.ts';
import type { ContractPlan, Packed } from './contract-plan.ts';
import { rareCode } from './rare-code.ts';

/** The plan for a contraction or pool; undefined for other nodes. */
export function planContraction(node: AnyNode, packed: Packed): ContractPlan | undefined {
  const [left, right] = node.inputs as readonly [SymbolicTensor, SymbolicTensor];
  switch (node.primitive) {
    case 'dot': {
      const { transposeLeft, transposeRight } = node.attributes;
      const [rows, columns] = left.shape.slice(-2) as [number, number];
      const [m, k] = transposeLeft ? [columns, rows] : [rows, columns];
      const n = right.shape.at(transposeRight ? -2 : -1) as number;
      return planDot({ batch: sizeOf(left.shape.slice(0, -2)), m, k, n, transposeLeft, transposeRight, packed });
    }
    case 'convolve':
      return planConvolve({ inputShape: left.shape, kernelShape: right.shape, attributes: node.attributes, packed });
    case 'convolveInputGradient': {
      const { inputShape } = node.attributes;
      return planConvolveInputGradient({ inputShape, kernelShape: right.shape, attributes: node.attributes, packed });
    }
    case 'convolveFilterGradient': {
      const { kernelShape } = node.attributes;
      return rareCode('gradients').planConvolveFilterGradient({
        inputShape: left.shape,
        kernelShape,
        attributes: node.attributes,
      });
    }
    case 'maxPool':
      return rareCode('pools').planMaxPool({ inputShape: left.shape, attributes: node.attributes });
    case 'averagePool':
      return rareCode('pools').planAveragePool({ inputShape: left.shape, attributes: node.attributes });
    case 'maxPoolGradient':
      return rareCode('pools').planMaxPoolGradient({ inputShape: left.shape, attributes: node.attributes });
    case 'averagePoolGradient':
      return rareCode('pools').planAveragePoolGradient({
        inputShape: node.attributes.inputShape,
        attributes: node.attributes,
      });
    default:
      return undefined;
  }
}
