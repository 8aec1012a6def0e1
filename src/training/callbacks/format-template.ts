/** Names with places for values, as Python's `str.format` fills them: `{epoch:02d}-{val_loss:.2f}.keras`. */

const PLACE = /\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}|[{}]/g;
const SPEC = /^([+ ]?)(0?)(\d*)(?:\.(\d+))?([deEfFgG%]?)$/;

/**
 * Fills a template.
 *
 * @throws {RangeError} when it names a value that there is not, or asks for a form that is not known.
 */
export function formatTemplate(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(PLACE, (place: string, name: string | undefined, spec = '') => {
    if (place === '{{' || place === '}}') return place.charAt(0);
    const fail = (problem: string): RangeError => new RangeError(`Cannot fill in "${template}": ${problem}`);
    if (name === undefined) throw fail('found a brace without its partner');
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (typeof value !== 'number') {
      const known = Object.keys(values).filter((key) => typeof values[key] === 'number');
      throw fail(`found {${name}}, expected one of ${known.join(', ')}`);
    }
    const text = formatNumber(value, spec as string);
    if (text === undefined) throw fail(`the form "${spec}" of {${name}} is not known, expected one such as 02d or .2f`);
    return text;
  });
}

function formatNumber(value: number, spec: string): string | undefined {
  const match = SPEC.exec(spec);
  if (match === null) return undefined;
  const [, sign = '', fill = '', width = '', precision, type = ''] = match;
  if (type === 'd' && (!Number.isInteger(value) || precision !== undefined)) return undefined;
  const digits = formatDigits(Math.abs(value), type, precision === undefined ? undefined : Number(precision));
  const front = value < 0 || Object.is(value, -0) ? '-' : sign;
  if (fill === '') return (front + digits).padStart(Number(width), ' ');
  return front + digits.padStart(Number(width) - front.length, '0');
}

function formatDigits(value: number, type: string, precision: number | undefined): string {
  switch (type) {
    case 'f':
    case 'F':
      return formatFixed(value, precision ?? 6);
    case '%':
      return `${formatFixed(100 * value, precision ?? 6)}%`;
    case 'e':
    case 'E': {
      // Python writes at least two digits of the exponent.
      const text = value.toExponential(precision ?? 6).replace(/([+-])(\d)$/, '$10$2');
      return type === 'E' ? text.toUpperCase() : text;
    }
    case 'g':
    case 'G':
      return String(Number(value.toPrecision(Math.max(1, precision ?? 6))));
    default:
      return precision === undefined ? String(value) : String(Number(value.toPrecision(Math.max(1, precision))));
  }
}

/** Of two that are equally near, Python takes the even one, `toFixed` the larger. */
function formatFixed(value: number, digits: number): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false } as const;
  return new Intl.NumberFormat('en', { ...options, roundingMode: 'halfEven' }).format(value);
}
