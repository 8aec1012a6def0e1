/** Keras' callbacks. */
export { Callback } from './callback.ts';
export { EarlyStopping } from './early-stopping.ts';
export { History } from './history.ts';
export { LearningRateScheduler, ReduceLROnPlateau } from './learning-rate.ts';
export { ProgbarLogger } from './progbar-logger.ts';
export { CSVLogger, LambdaCallback, TerminateOnNaN } from './small-callbacks.ts';
