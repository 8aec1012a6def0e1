/** Who wrote a file, where the format has room for that: name and version of this package. */
export const GENERATED_BY = 'Hornet v0.1.0';
