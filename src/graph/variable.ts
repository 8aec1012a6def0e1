import { bytesPerElement } from '../array/dtype.ts';
import type { NarrowArray, NarrowCodes } from '../array/narrow-array.ts';
import { formatShape, type Shape, shapesEqual, sizeOf } from '../array/shape.ts';
import type { Tensor } from '../array/tensor.ts';
import { ShapeError } from '../errors.ts';

export type VariableDtype = 'float32' | 'int32' | 'bool';

/** What a layer says of a weight besides its shape. */
export interface WeightTraits {
  /**
   * The axis, or neighbouring axes, along which the channels of the output lie: `[-1]` for the kernel of a `Dense`. A
   * large weight that says so can be kept in fewer bytes, with a scale for each channel; others stay as they are.
   */
  readonly channelAxes?: readonly number[];
  /**
   * Whether it is the kernel of a convolution: `[…window, inputs, outputs]`, or outputs before inputs where `channelAxes`
   * say so. Theano and Keras 1 had them in other orders, which are put right when such files are loaded.
   */
  readonly convolves?: boolean;
  /** The name that Keras 2 and TensorFlow.js have for it, where it is another one. */
  readonly oldName?: string;
}

export interface VariableOptions {
  /** Keras' name of the weight within its layer, such as `kernel`. */
  readonly name: string;
  readonly shape: Shape;
  readonly dtype?: VariableDtype;
  readonly trainable?: boolean;
  readonly traits?: WeightTraits;
  /** Fills the variable when it is read before anything was assigned. */
  readonly initialize: (shape: Shape, dtype: VariableDtype) => Tensor;
}

/**
 * A weight: state that lives between runs of a program.
 *
 * The initial value is computed only when it is asked for, so a model whose weights come from a file never pays for
 * random numbers. `version` counts assignments; a program uploads a variable again when its version has changed.
 */
export class Variable {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: VariableDtype;
  trainable: boolean;
  readonly traits: WeightTraits;
  /** Path of the layer and name, such as `encoder/dense/kernel`; set when the layer is built. */
  path: string;
  #value: Tensor<VariableDtype> | undefined;
  #narrow: NarrowArray | undefined;
  #version = 0;
  /** Copies the value out of the program that has it. */
  #read: (() => Tensor) | undefined;
  /** Whether it is copied out each time, and not kept here. */
  #isEntrusted = false;
  readonly #initialize: VariableOptions['initialize'];

  constructor(options: VariableOptions) {
    this.name = options.name;
    this.path = options.name;
    this.shape = options.shape;
    this.dtype = options.dtype ?? 'float32';
    this.trainable = options.trainable ?? true;
    this.traits = options.traits ?? {};
    this.#initialize = options.initialize;
  }

  get version(): number {
    return this.#version;
  }

  /** The narrow form in which the value is kept, where it is kept in one; once it is, it stays so. */
  get narrow(): NarrowArray | undefined {
    return this.#narrow;
  }

  /** Bytes that the value takes, or will. */
  get byteLength(): number {
    return this.#narrow?.byteLength ?? sizeOf(this.shape) * bytesPerElement(this.dtype);
  }

  /** The value; of one that is kept in a narrow form, or by a program alone, a copy that is made anew each time. */
  get value(): Tensor<VariableDtype> {
    if (this.#narrow) return this.#narrow.toTensor(this.shape);
    if (this.#read !== undefined) {
      const value = this.#read() as Tensor<VariableDtype>;
      if (this.#isEntrusted) return value;
      this.#value = value;
      this.#read = undefined;
    }
    this.#value ??= this.#initialize(this.shape, this.dtype) as Tensor<VariableDtype>;
    return this.#value;
  }

  /**
   * Replaces the value. The tensor is kept, not copied; unless the value is kept in a narrow form, which the new one gets.
   *
   * @throws {ShapeError} when shape or dtype differ.
   * @throws {RangeError} when the value has no narrow form, and should have.
   */
  assign(value: Tensor): void {
    this.prepare(value)();
  }

  /** Checks all that `assign` does; what it gives replaces the value, and does not fail. */
  prepare(value: Tensor): () => void {
    if (!shapesEqual(value.shape, this.shape)) {
      throw new ShapeError(
        `Cannot assign weight "${this.path}": the value has shape ${formatShape(value.shape)}, ` +
          `the weight ${formatShape(this.shape)}`,
      );
    }
    if (value.dtype !== this.dtype) {
      throw new ShapeError(
        `Cannot assign weight "${this.path}": the value has dtype ${value.dtype}, the weight ${this.dtype}`,
      );
    }
    const narrow = this.#narrow?.again(value, this.path);
    return () => {
      if (narrow) this.#narrow = narrow;
      else this.#value = value as Tensor<VariableDtype>;
      this.#read = undefined;
      this.#isEntrusted = false;
      this.#version++;
    };
  }

  /** Replaces the value by one in a narrow form, of as many elements. */
  assignNarrow(narrow: NarrowArray): void {
    this.#narrow = narrow;
    this.#value = undefined;
    this.#read = undefined;
    this.#isEntrusted = false;
    this.#version++;
  }

  /**
   * Replaces the value by one that a program keeps: `read` copies it out, when it is asked for.
   *
   * @param read gives a tensor of the variable's shape and dtype; it must give the same until the next assignment
   */
  assignLazily(read: () => Tensor): void {
    this.#value = undefined;
    this.#read = read;
    this.#isEntrusted = false;
    this.#version++;
  }

  /**
   * Leaves the value, which stays what it is, to a program that has it too: it is copied out whenever somebody asks for it.
   * One that is kept in a narrow form since the program was compiled is not left to it.
   *
   * @param read gives the value; it must give the same until the next assignment
   */
  entrust(read: () => Tensor): void {
    if (this.#narrow) return;
    this.#value = undefined;
    this.#read = read;
    this.#isEntrusted = true;
  }

  /** Likewise the elements of a narrow form. */
  entrustNarrow(read: () => NarrowCodes): void {
    this.#narrow = this.#narrow?.entrusted(read);
  }
}
