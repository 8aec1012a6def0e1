/**
 * A small object of Keras that a file stores as `{ class_name, config }`: an initializer, a regularizer, a constraint.
 * `config` holds Keras' keys in camelCase, so that it can be written back as it was read.
 */
export interface KerasObject {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** `GlorotUniform` of `glorot_uniform` and `glorotUniform`; names in the case of classes stay as they are. */
export function classNameOf(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** What the one class is called in Python that Keras exports under another name. */
const PYTHON_NAMES: Readonly<Record<string, string>> = { GroupQueryAttention: 'GroupedQueryAttention' };

/** `p_re_lu` of `PReLU`: Keras' rule for automatic names and for groups in `.weights.h5`. */
export function snakeCaseOf(className: string): string {
  return (PYTHON_NAMES[className] ?? className)
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/**
 * A configuration with the defaults of its class filled in.
 *
 * @throws {TypeError} when a key is none of the class's.
 */
export function fillConfig(
  className: string,
  defaults: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const unknown = Object.keys(config).find((key) => !Object.hasOwn(defaults, key));
  if (unknown === undefined) return { ...defaults, ...config };
  const known = Object.keys(defaults).join(', ') || 'no options';
  throw new TypeError(`Cannot create ${className}: found an unknown option "${unknown}", expected ${known}`);
}
