/** Keras' fuzz factor: what keeps denominators and arguments of logarithms from 0. */
export const EPSILON = 1e-7;
