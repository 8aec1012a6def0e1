/** Saving weights in several files, as Keras 3.10 and later do: `.weights.json`, and HDF5 files beside it. */
import { decodeJsonObject, decodeText, isJsonObject } from '../formats/json.ts';
import { shardBaseName } from '../formats/keras/shard-names.ts';
import { withOptimizer } from '../formats/keras/write-path-weights.ts';
import { writeShardedWeights } from '../formats/keras/write-sharded-weights.ts';
import { pathWeightsOf } from '../serialization/encode-model.ts';
import { descriptionOf } from './description.ts';
import { lostAssets } from './lost-assets.ts';
import type { SavedFiles, SaveRequest } from './save-formats.ts';
import { trainingRecordOf } from './training-record.ts';
import { uniqueId } from './unique-id.ts';

/** What Keras has for a shard where nothing is said. */
const DEFAULT_SHARD_BYTES = 5 * 2 ** 30;

const ENDING = '.weights.json';

export async function encodeShardedWeights(request: SaveRequest): Promise<SavedFiles> {
  const { model, shardSize, destination } = request;
  const { optimizerWeights = [] } = await trainingRecordOf(request, 'keras3');
  const name = destination?.split(/[\\/]/).at(-1) || `model${ENDING}`;
  const { file, shards, first } = writeShardedWeights(
    withOptimizer(pathWeightsOf(model), optimizerWeights),
    model.name,
    {
      baseName: shardBaseName(name),
      id: uniqueId(),
      shardSize: shardSize ?? DEFAULT_SHARD_BYTES,
      description: descriptionOf(request),
    },
  );
  const omitted = lostAssets(model, ENDING, { keepsValues: true });
  return { file, beside: shards, besideOf, lasting: [first], needs: [], omitted };
}

/** The shards that a table names, to be removed when it is replaced; none when it is something else. */
function besideOf(bytes: Uint8Array): readonly string[] {
  try {
    const { weight_map: weightMap } = decodeJsonObject(decodeText(bytes, ENDING), ENDING);
    if (!isJsonObject(weightMap)) return [];
    const names = Object.values(weightMap).flat();
    return names.filter((name) => typeof name === 'string' && /^[^/\\]+\.weights\.h5$/.test(name)) as string[];
  } catch {
    return [];
  }
}
