/** What files of weights in shards are called, as Keras has it: `a.weights.json`, `a_00000.weights.h5`, … */

/** What the names of shards begin with, given that of their table. */
export function shardBaseName(tableName: string): string {
  return tableName.replace(/\.json$/, '').replace('.weights', '');
}

export function shardName(baseName: string, index: number): string {
  return `${baseName}_${String(index).padStart(5, '0')}.weights.h5`;
}

/** The shard that Keras opens before it looks what the table names. */
export function firstShardName(tableName: string): string {
  return shardName(shardBaseName(tableName), 0);
}
