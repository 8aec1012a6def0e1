import type { PartialShape } from '../../array/shape.ts';
import type { SymbolicTensor } from '../../graph/node.ts';
import { add, divide, multiply } from '../../ops/elementwise.ts';
import { concatenate, flip } from '../../ops/shape.ts';
import { type Fields, nullable, type Options, oneOf } from '../fields.ts';
import { type CallContext, Layer, type LayerConfig, layerFields, type Sublayers } from '../layer.ts';
import { cloneLayer, layer } from '../layer-field.ts';
import { RecurrentLayer, sequenceMask } from './recurrent-layer.ts';
import { symbolsIn } from './symbols.ts';

export type MergeMode = 'sum' | 'mul' | 'concat' | 'ave';

export interface BidirectionalConfig extends LayerConfig {
  layer: RecurrentLayer;
  /** How the outputs of both directions are joined; `null` gives both. */
  mergeMode: MergeMode | null;
  /** The layer that runs backwards; by default a copy of the first. */
  backwardLayer: RecurrentLayer | null;
}

const isRecurrent = (value: Layer): value is RecurrentLayer => value instanceof RecurrentLayer;

/**
 * Runs a recurrent layer along sequences in both directions.
 *
 * Both layers are copies: `forward_<name>` and `backward_<name>`, as in Keras. Initial states are those of the forward
 * layer, then those of the backward layer, and so are the last states.
 */
export class Bidirectional extends Layer<BidirectionalConfig> {
  static readonly className = 'Bidirectional';
  static readonly fields: Fields<BidirectionalConfig> = {
    ...layerFields,
    layer: layer('a recurrent layer', isRecurrent),
    mergeMode: nullable(oneOf(['sum', 'mul', 'concat', 'ave']), 'concat'),
    backwardLayer: nullable(layer('a recurrent layer', isRecurrent)),
  };
  override readonly supportsMasking = true;
  override readonly hasMaskArgument = true;
  override readonly inputForm = 'with states';
  readonly forwardLayer: RecurrentLayer;
  readonly backwardLayer: RecurrentLayer;

  constructor(options: Options<BidirectionalConfig, 'layer'>) {
    super(Bidirectional.className, Bidirectional.fields, options);
    const { layer: original, backwardLayer } = this.config;
    this.forwardLayer = cloneLayer(original, { name: `forward_${withoutPrefix(original.name, 'forward_')}` });
    this.backwardLayer =
      backwardLayer ??
      cloneLayer(original, {
        name: `backward_${withoutPrefix(original.name, 'backward_')}`,
        // Keras 3 takes a forward layer that runs forwards alone; older ones turn whatever they are given.
        goBackwards: original.config.goBackwards !== true,
      });
    checkPair(this.name, this.forwardLayer, this.backwardLayer);
    for (const side of [this.forwardLayer, this.backwardLayer]) {
      // At a masked step the two directions stand at different places: no earlier output is right for it.
      side.config.zeroOutputForMask = side.config.returnSequences;
    }
    this.config.layer = this.forwardLayer;
    this.config.backwardLayer = this.backwardLayer;
  }

  override get sublayers(): Sublayers {
    return { forwardLayer: this.forwardLayer, backwardLayer: this.backwardLayer };
  }

  protected override build([inputShape = []]: readonly PartialShape[]): void {
    this.forwardLayer.ensureBuilt([inputShape]);
    this.backwardLayer.ensureBuilt([inputShape]);
  }

  override call(inputs: readonly SymbolicTensor[], context: CallContext): readonly SymbolicTensor[] {
    const [x, ...rest] = inputs as readonly [SymbolicTensor, ...SymbolicTensor[]];
    const initial = [...rest, ...symbolsIn(context.kwargs.initialState)];
    const half = initial.length / 2;
    const mask = sequenceMask(context);
    const run = (side: RecurrentLayer, initialState: readonly SymbolicTensor[]): readonly SymbolicTensor[] => {
      const states = initialState.length > 0 ? { initialState } : {};
      const kwargs = mask === undefined ? states : { ...states, mask };
      return side.trace([{ tensor: x, mask }], { ...context, kwargs }).map(({ tensor }) => tensor);
    };
    const [forward, ...forwardStates] = run(this.forwardLayer, initial.slice(0, half));
    const [last, ...backwardStates] = run(this.backwardLayer, initial.slice(half));
    const returnSequences = this.forwardLayer.config.returnSequences;
    const backward = returnSequences ? flip(last as SymbolicTensor, 1) : (last as SymbolicTensor);
    return [...merge(forward as SymbolicTensor, backward, this.config.mergeMode), ...forwardStates, ...backwardStates];
  }

  override computeMask(
    _inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    context: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    const mask = this.forwardLayer.config.returnSequences ? context.masks[0] : undefined;
    const merged = this.config.mergeMode === null ? 2 : 1;
    return outputs.map((_, index) => (index < merged ? mask : undefined));
  }

  /** Sets the kept states of both layers to 0. */
  resetStates(): void {
    this.forwardLayer.resetStates();
    this.backwardLayer.resetStates();
  }
}

function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function checkPair(name: string, forward: RecurrentLayer, backward: RecurrentLayer): void {
  const differing = (['stateful', 'returnSequences', 'returnState'] as const).find(
    (key) => forward.config[key] !== backward.config[key],
  );
  if (differing !== undefined) {
    throw new TypeError(
      `Cannot create Bidirectional "${name}": ${differing} is ${forward.config[differing]} forwards and ` +
        `${backward.config[differing]} backwards, expected the same`,
    );
  }
  if (forward.config.goBackwards === backward.config.goBackwards) {
    throw new TypeError(
      `Cannot create Bidirectional "${name}": goBackwards is ${forward.config.goBackwards} in both layers, ` +
        'expected it to differ',
    );
  }
}

function merge(forward: SymbolicTensor, backward: SymbolicTensor, mode: MergeMode | null): readonly SymbolicTensor[] {
  switch (mode) {
    case 'concat':
      return [concatenate([forward, backward], -1)];
    case 'sum':
      return [add(forward, backward)];
    case 'ave':
      return [divide(add(forward, backward), 2)];
    case 'mul':
      return [multiply(forward, backward)];
    case null:
      return [forward, backward];
    default:
      return mode satisfies never;
  }
}
