import type { Dtype } from '../array/dtype.ts';
import { formatShape, type PartialShape, type Shape, shapesEqual } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';
import { parameter, placeholder } from '../graph/apply.ts';
import { SymbolicTensor } from '../graph/node.ts';
import { Variable, type VariableDtype, type WeightTraits } from '../graph/variable.ts';
import { boolean, type Fields, type Options, resolveConfig, string } from './fields.ts';
import { type Initializer, resolveInitializer } from './initializers.ts';
import { snakeCaseOf } from './keras-object.ts';
import { KerasTensor, type LayerCall, mapTensors, tensorsIn } from './keras-tensor.ts';
import { activityPenaltyOf } from './penalty.ts';
import type { Regularizer } from './regularizers.ts';

/** The options that every layer has. */
export interface LayerConfig {
  name: string;
  trainable: boolean;
  /** Keras' dtype policy, such as `float32` or `mixed_float16`. Whatever it says, programs compute in float32. */
  dtype: string;
}

export type LayerOptions = Options<LayerConfig>;

/** Fields of `LayerConfig`, to be spread into the fields of each layer. An empty name is replaced by an automatic one. */
export const layerFields: Fields<LayerConfig> = {
  name: string(''),
  trainable: boolean(true),
  dtype: string('float32'),
};

/**
 * A tensor and the mask that travels with it: bool, true where a step counts.
 *
 * All that read a tensor share this one object, models inside models too, since there are layers that take the mask
 * away from their input, so that none who reads it later sees it.
 */
export interface MaskedTensor {
  readonly tensor: SymbolicTensor;
  mask?: SymbolicTensor | undefined;
}

/** How a layer is called: the same for all layers of one trace. */
export interface TraceOptions {
  readonly training: boolean;
  /** Arguments of the call besides its inputs, by camelCase name: `attentionMask`, `returnAttentionScores`, … */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** Takes a value that a variable shall have after the run: moving statistics, states of stateful layers. */
  readonly update?: (variable: Variable, value: SymbolicTensor) => void;
  /** Takes a scalar that is added to the loss: penalties on outputs. */
  readonly addLoss?: (value: SymbolicTensor) => void;
  /**
   * Gives int32 random bits of a shape, others at each call and in each step. Calls with a seed draw from a stream of
   * that seed.
   */
  readonly random?: (shape: Shape, seed: number | null) => SymbolicTensor;
  /** The layers that a training leaves alone; by default those that are not `trainable`. */
  readonly frozen?: ReadonlySet<Layer>;
}

/** Traces the calls of a model in which masks are taken away, one after the other, in place of `Layer.trace`. */
export interface MaskWatch {
  trace(call: LayerCall, values: readonly MaskedTensor[], options: TraceOptions): readonly MaskedTensor[];
}

/** What `call` gets besides the inputs. */
export interface CallContext extends TraceOptions {
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** The mask of each input. */
  readonly masks: readonly (SymbolicTensor | undefined)[];
}

/** Weights are added with a name of Keras' and an initializer. */
export interface WeightSpec extends WeightTraits {
  /** An initializer, or Keras' name of one, such as `zeros`. */
  readonly initializer: Initializer | string;
  readonly trainable?: boolean;
  readonly dtype?: VariableDtype;
}

/**
 * How the `call` of a class of Keras takes the inputs: a tensor alone and several as a list; a list in any case; one by one; or a
 * tensor, and its initial states by name.
 */
export type InputForm = 'tensor or list' | 'list' | 'separate' | 'with states';

export type LayerOutput = SymbolicTensor | readonly SymbolicTensor[];

/** Layers by the attribute under which their parent holds them, as `.weights.h5` names their groups. */
export type Sublayers = Readonly<Record<string, Layer | readonly Layer[]>>;

/**
 * A function over symbolic tensors, with weights.
 *
 * A layer states its options in `fields`, makes its weights in `build` and computes in `call`. Nothing else is needed:
 * the shape of the output is learnt by tracing `call` with placeholders, twice where extents are unknown.
 */
export abstract class Layer<C extends LayerConfig = LayerConfig> {
  readonly config: C;
  readonly name: string;
  readonly className: string;
  /** The calls of this layer while models were put together, oldest first. */
  readonly calls: LayerCall[] = [];
  /** Whether the mask of the input goes on to the output. A layer that does not support masks drops it. */
  readonly supportsMasking: boolean = false;
  /** Whether the `call` of Keras' class has an argument `mask`, for which that of the input stands if none is given. */
  readonly hasMaskArgument: boolean = false;
  readonly inputForm: InputForm = 'tensor or list';
  #trainable: boolean;
  #built = false;
  readonly #weights = new Map<string, Variable>();
  readonly #substitutes = new Map<Variable, SymbolicTensor>();

  constructor(className: string, fields: Fields<C>, options: Readonly<Record<string, unknown>>) {
    const config = resolveConfig(className, fields, options);
    const name = config.name === '' ? automaticName(snakeCaseOf(className)) : config.name;
    this.className = className;
    this.config = { ...config, name };
    this.name = name;
    this.#trainable = config.trainable;
  }

  /** Computes the outputs. `inputs` are the tensors of the first argument, flattened. */
  abstract call(inputs: readonly SymbolicTensor[], context: CallContext): LayerOutput;

  /** Makes the weights for inputs of these shapes; called once, before the first `call`. */
  protected build(_inputShapes: readonly PartialShape[]): void {}

  /** Masks of the outputs. By default the first input's mask, for a layer that supports masks. */
  computeMask(
    _inputs: readonly SymbolicTensor[],
    outputs: readonly SymbolicTensor[],
    context: CallContext,
  ): readonly (SymbolicTensor | undefined)[] {
    return outputs.map(() => (this.supportsMasking ? context.masks[0] : undefined));
  }

  /** What traces the calls of a model in which a layer takes masks away, at any depth. */
  watchMasks(): MaskWatch | undefined {
    return this.children.map((layer) => layer.watchMasks()).find(Boolean);
  }

  /** The layers inside this one; none by default. */
  get sublayers(): Sublayers {
    return {};
  }

  /** What attributes of the layers inside are called in files of older releases, where that is another name. */
  get oldAttributes(): Readonly<Record<string, string>> {
    return {};
  }

  /** Arguments that the call has in Keras 3, by the options that say the same, as in Keras 2. */
  get callArguments(): Readonly<Record<string, string>> {
    return {};
  }

  get built(): boolean {
    return this.#built;
  }

  /** Builds the layer unless that was done. */
  ensureBuilt(inputShapes: readonly PartialShape[]): void {
    if (this.#built) return;
    this.build(inputShapes);
    this.#built = true;
    if (!this.#trainable) for (const layer of this.#ownLayers()) layer.trainable = false;
  }

  /** The layers inside that this one has made itself; those that it was given have a `trainable` of their own. */
  #ownLayers(): readonly Layer[] {
    const given = new Set<unknown>(Object.values(this.config).flat());
    return 'layers' in this ? [] : this.children.filter((layer) => !given.has(layer));
  }

  /** Adds a weight; `name` is Keras' name for it, such as `kernel`. */
  protected addWeight(name: string, shape: Shape, spec: WeightSpec): Variable {
    if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
      throw new ShapeError(
        `Cannot build layer "${this.name}": weight "${name}" would have shape ${formatShape(shape)}, ` +
          `expected known extents of at least 0`,
      );
    }
    const initializer = resolveInitializer(spec.initializer);
    if (initializer === undefined) {
      throw new TypeError(
        `Cannot build layer "${this.name}": "${String(spec.initializer)}" is no initializer of Keras`,
      );
    }
    const variable = new Variable({
      name,
      shape,
      dtype: spec.dtype ?? 'float32',
      trainable: spec.trainable ?? true,
      initialize: initializer.initialize,
      traits: spec,
    });
    variable.path = `${this.name}/${name}`;
    this.#weights.set(name, variable);
    return variable;
  }

  /** The symbolic tensor of a weight, for `call`. */
  protected weight(name: string): SymbolicTensor {
    const variable = this.#weights.get(name);
    if (variable === undefined) {
      throw new Error(`Cannot use weight "${name}" of layer "${this.name}": the layer was not built with it`);
    }
    return this.#substitutes.get(variable) ?? parameter(variable);
  }

  /** What `run` gives while another tensor stands in the place of a weight: for layers around this one. */
  withWeight<T>(variable: Variable, value: SymbolicTensor, run: () => T): T {
    this.#substitutes.set(variable, value);
    try {
      return run();
    } finally {
      this.#substitutes.delete(variable);
    }
  }

  /** Whether a weight of this name was added. */
  protected hasWeight(name: string): boolean {
    return this.#weights.has(name);
  }

  /** This layer's own weights, trainable ones first, without those of the layers inside. */
  get ownWeights(): readonly Variable[] {
    const all = [...this.#weights.values()];
    return all.sort((a, b) => Number(b.trainable) - Number(a.trainable));
  }

  /** What the layer keeps between runs and Keras does not count as weights: the states of stateful layers. */
  get states(): readonly Variable[] {
    return [];
  }

  /** The layers directly inside this one, in order. */
  get children(): readonly Layer[] {
    return Object.values(this.sublayers).flat();
  }

  /** All weights in Keras' order: own ones, trainable before others, then those of the layers inside. */
  get weights(): readonly Variable[] {
    return [...new Set([...this.ownWeights, ...this.children.flatMap((layer) => layer.weights)])];
  }

  /** The weights that a training of this layer changes: none when it is frozen, else those of layers that are not. */
  get trainableWeights(): readonly Variable[] {
    return this.#trainable ? trainedWeights(this as unknown as Layer, (layer) => !layer.trainable) : [];
  }

  get nonTrainableWeights(): readonly Variable[] {
    const trainable = new Set(this.trainableWeights);
    return this.weights.filter((variable) => !trainable.has(variable));
  }

  /**
   * Whether training changes this layer's own weights. Setting it sets it for all layers inside, too, and each of those
   * may be set again on its own, as in Keras: a layer that is thawed inside a frozen one is trained.
   *
   * A model takes it into account when it is compiled.
   */
  get trainable(): boolean {
    return this.#trainable;
  }

  set trainable(value: boolean) {
    this.#trainable = value;
    for (const layer of this.children) layer.trainable = value;
  }

  /** Values of all weights, in the order of `weights`. They are the arrays that the layer uses, not copies, but for compressed ones. */
  getWeights(): readonly Tensor[] {
    return this.weights.map((variable) => variable.value);
  }

  /**
   * Sets all weights, in the order of `weights`. Nothing is changed unless everything fits.
   *
   * @throws {RangeError} when number, shapes or dtypes differ, naming all that do.
   */
  setWeights(values: readonly Tensor[]): void {
    const { name, weights } = this;
    if (values.length !== weights.length) {
      throw new RangeError(
        `Cannot set the weights of "${name}": found ${values.length} values, expected ${weights.length}`,
      );
    }
    const misfits = weights.flatMap(({ path, dtype, shape }, index) => {
      const value = values[index] as Tensor;
      if (shapesEqual(shape, value.shape) && dtype === value.dtype) return [];
      return [`"${path}" is ${dtype}${formatShape(shape)}, its value ${value.dtype}${formatShape(value.shape)}`];
    });
    if (misfits.length > 0) throw new RangeError(`Cannot set the weights of "${name}": ${misfits.join('; ')}`);
    for (const assign of weights.map((variable, index) => variable.prepare(values[index] as Tensor))) assign();
  }

  /**
   * The output of the layer's first call.
   *
   * @throws {RangeError} when the layer was never applied.
   */
  get output(): KerasTensor {
    return this.#firstCall().outputs[0] as KerasTensor;
  }

  /** The first input of the layer's first call. */
  get input(): KerasTensor {
    return this.#firstCall().inputs[0] as KerasTensor;
  }

  #firstCall(): LayerCall {
    const [call] = this.calls;
    if (call === undefined) throw new RangeError(`Cannot get a tensor of layer "${this.name}": it was never applied`);
    return call;
  }

  /** Number of weights' elements. */
  countParams(): number {
    return this.weights.reduce((sum, variable) => sum + variable.shape.reduce((size, extent) => size * extent, 1), 0);
  }

  /** The outputs of the layer for symbolic inputs, with their masks. */
  trace(inputs: readonly MaskedTensor[], options: TraceOptions): readonly MaskedTensor[] {
    this.ensureBuilt(inputs.map(({ tensor }) => tensor.shape));
    const tensors = inputs.map(({ tensor }) => tensor);
    const { kwargs = {} } = options;
    // Arguments `mask` and `training` of the call outrank what travels with the inputs and what the model is told.
    const masks = inputs.map(({ mask }, index) =>
      index === 0 && kwargs.mask instanceof SymbolicTensor ? kwargs.mask : mask,
    );
    const training = typeof kwargs.training === 'boolean' ? kwargs.training : options.training;
    const context: CallContext = { ...options, training, kwargs, masks };
    const result = this.call(tensors, context);
    const outputs = Array.isArray(result) ? (result as readonly SymbolicTensor[]) : [result as SymbolicTensor];
    if (options.addLoss !== undefined) this.#penalize(outputs, options.addLoss);
    const outputMasks = this.computeMask(tensors, outputs, context);
    return outputs.map((tensor, index) => ({ tensor, mask: outputMasks[index] }));
  }

  #penalize(outputs: readonly SymbolicTensor[], addLoss: (value: SymbolicTensor) => void): void {
    const { activityRegularizer } = this.config as { readonly activityRegularizer?: Regularizer | null };
    if (activityRegularizer === undefined || activityRegularizer === null) return;
    for (const output of outputs)
      if (output.dtype === 'float32') addLoss(activityPenaltyOf(activityRegularizer, output));
  }

  /** Whether a training changes this layer, as far as the trace knows. */
  protected isFrozen({ frozen }: TraceOptions): boolean {
    return frozen === undefined ? !this.#trainable : frozen.has(this as unknown as Layer);
  }

  /**
   * Adds a call of this layer to a model that is being put together.
   *
   * One tensor in gives the layer's output; a layer with several outputs gives a list.
   *
   * @throws {ShapeError} when the layer cannot take inputs of these shapes.
   */
  apply(inputs: KerasTensor | readonly KerasTensor[], kwargs: Readonly<Record<string, unknown>> = {}): KerasTensor {
    return this.applyAll(inputs, kwargs)[0] as KerasTensor;
  }

  /** Like `apply`, for layers with several outputs. */
  applyAll(
    inputs: KerasTensor | readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>> = {},
  ): readonly KerasTensor[] {
    const list = inputs instanceof KerasTensor ? [inputs] : [...inputs];
    if (list.length === 0) {
      throw new ShapeError(`Cannot call layer "${this.name}": found no inputs, expected one tensor or more`);
    }
    this.ensureBuilt(list.map((tensor) => tensor.shape));
    const outputs: KerasTensor[] = [];
    const call: LayerCall = { layer: this as unknown as Layer, inputs: list, kwargs, outputs };
    for (const [index, spec] of this.inferOutputs(list, kwargs).entries()) {
      outputs.push(new KerasTensor({ ...spec, name: this.name }, call, index));
    }
    this.calls.push(call);
    return outputs;
  }

  /** Shapes and dtypes of the outputs: traced with two stand-ins for unknown extents; what differs is unknown. */
  protected inferOutputs(
    inputs: readonly KerasTensor[],
    kwargs: Readonly<Record<string, unknown>>,
  ): readonly { shape: PartialShape; dtype: Dtype }[] {
    const unknown = [...inputs, ...tensorsIn(kwargs)].some((tensor) => tensor.shape.includes(null));
    const [first, second] = UNKNOWN_EXTENTS.map((extent) => {
      try {
        return this.#traceShapes(inputs, kwargs, extent);
      } catch (error) {
        // Inputs that are merged must agree where one knows an extent and another does not.
        const agreed = agreeExtents(inputs);
        if (!(error instanceof ShapeError) || agreed === undefined) throw error;
        return this.#traceShapes(agreed, kwargs, extent);
      }
    });
    if (first === undefined || second === undefined || !unknown) return first ?? [];
    return first.map((spec, index) => {
      const other = second[index]?.shape ?? [];
      return {
        dtype: spec.dtype,
        shape: shapesEqual(spec.shape, other)
          ? spec.shape
          : spec.shape.map((extent, axis) => (extent === other[axis] ? extent : null)),
      };
    });
  }

  #traceShapes(inputs: readonly KerasTensor[], kwargs: Readonly<Record<string, unknown>>, unknown: number) {
    const standIn = (tensor: KerasTensor): SymbolicTensor =>
      placeholder(
        tensor.shape.map((extent) => extent ?? unknown),
        tensor.dtype,
      );
    const traced = this.trace(
      inputs.map((tensor) => ({ tensor: standIn(tensor) })),
      { training: false, kwargs: mapTensors(kwargs, standIn) as Record<string, unknown> },
    );
    return traced.map(({ tensor }) => ({ shape: tensor.shape, dtype: tensor.dtype }));
  }
}

/** The trainable weights of a layer and of all that are inside it, without those of layers that are frozen. */
export function trainedWeights(layer: Layer, isFrozen: (layer: Layer) => boolean): readonly Variable[] {
  const found = new Set<Variable>();
  const visit = (each: Layer): void => {
    if (!isFrozen(each)) for (const variable of each.ownWeights) if (variable.trainable) found.add(variable);
    each.children.forEach(visit);
  };
  visit(layer);
  return [...found];
}

/**
 * Stand-ins for unknown extents. They have many divisors, so that reshapes work, and differ by enough that no stride
 * makes their results equal.
 */
const UNKNOWN_EXTENTS = [2520, 5040] as const;

/** The inputs with unknown extents replaced by those that others know, where all are of one rank. */
function agreeExtents(inputs: readonly KerasTensor[]): readonly KerasTensor[] | undefined {
  const rank = inputs[0]?.shape.length ?? 0;
  if (inputs.length < 2 || inputs.some((tensor) => tensor.shape.length !== rank)) return undefined;
  return inputs.map((tensor) => {
    const shape = tensor.shape.map(
      (extent, axis) => extent ?? inputs.find((other) => other.shape[axis] !== null)?.shape[axis] ?? null,
    );
    return new KerasTensor({ shape, dtype: tensor.dtype, name: tensor.name }, tensor.call, tensor.index);
  });
}

const nameCounts = new Map<string, number>();

/** `dense`, `dense_1`, …: unique within the process, as in Keras. */
function automaticName(prefix: string): string {
  const count = nameCounts.get(prefix) ?? 0;
  nameCounts.set(prefix, count + 1);
  return count === 0 ? prefix : `${prefix}_${count}`;
}

/** Lets automatic names start from the beginning again. */
export function clearSession(): void {
  nameCounts.clear();
}
