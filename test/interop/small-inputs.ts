/** Models of whole scans, asked with a small cube: their convolutions have the same weights whatever the extent. */
import { type KerasModel, modelFromJSON } from '../../src/index.ts';

/** Larger inputs are volumes of scanners, whose programs take gigabytes. */
const MAX_ELEMENTS = 400_000;

/** Enough for every dilation to reach neighbours: the largest is 16. */
const EXTENT = 20;

/** The model itself, or where its inputs are larger than MAX_ELEMENTS one like it with inputs of EXTENT in each direction. */
export async function withSmallInputs(model: KerasModel): Promise<KerasModel> {
  const sizes = model.inputs.map(({ shape }) => shape.reduce<number>((product, extent) => product * (extent ?? 2), 1));
  if (Math.max(...sizes) <= MAX_ELEMENTS) return model;
  const configuration = JSON.parse(await model.toJSON(), (key, value: unknown) =>
    /^(?:batch_)?shape$/.test(key) ? (value as (number | null)[]).map(reduced) : value,
  );
  const small = await modelFromJSON(JSON.stringify(configuration));
  small.setWeights(model.getWeights());
  return small;
}

const reduced = (extent: number | null): number | null => (extent !== null && extent >= 2 * EXTENT ? EXTENT : extent);
