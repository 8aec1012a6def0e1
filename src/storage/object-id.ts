const ids = new WeakMap<object, number>();
let count = 0;

/** A number for an object, the same whenever it is asked for: what stores over one object are told by. */
export function objectId(object: object): number {
  let id = ids.get(object);
  if (id === undefined) {
    id = ++count;
    ids.set(object, id);
  }
  return id;
}
