/** Keras' optimizers. */
export { Adafactor } from './adafactor.ts';
export { Adam, Adamax, AdamW, Lamb, Nadam } from './adam.ts';
export { Adadelta, Adagrad, RMSprop } from './adaptive.ts';
export { Ftrl } from './ftrl.ts';
export { Lion } from './lion.ts';
export { LossScaleOptimizer } from './loss-scale-optimizer.ts';
export { MultiOptimizer, OptimizerMap } from './multi-optimizer.ts';
export { Muon } from './muon.ts';
export { Optimizer } from './optimizer.ts';
export { ScheduleFreeAdamW } from './schedule-free-adam-w.ts';
export { SGD } from './sgd.ts';
