/**
 * Makes vectors orthonormal, in place, by the modified Gram–Schmidt process. The result is the Q of a QR decomposition
 * whose R has a positive diagonal. In double precision, random vectors lose far less than float32 can hold.
 */
export function orthonormalize(vectors: readonly Float64Array[]): readonly Float64Array[] {
  for (let index = 0; index < vectors.length; index++) {
    const vector = vectors[index] as Float64Array;
    for (let before = 0; before < index; before++) subtractProjection(vector, vectors[before] as Float64Array);
    const norm = Math.sqrt(dot(vector, vector));
    for (let element = 0; element < vector.length; element++) vector[element] = (vector[element] as number) / norm;
  }
  return vectors;
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  const length = dot(vector, unit);
  for (let element = 0; element < vector.length; element++) {
    vector[element] = (vector[element] as number) - length * (unit[element] as number);
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let element = 0; element < a.length; element++) sum += (a[element] as number) * (b[element] as number);
  return sum;
}
