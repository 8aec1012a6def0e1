/** Keras' callbacks. */
export { BackupAndRestore } from './backup-and-restore.ts';
export { Callback } from './callback.ts';
export { CSVLogger } from './csv-logger.ts';
export { EarlyStopping } from './early-stopping.ts';
export { History } from './history.ts';
export { LearningRateScheduler, ReduceLROnPlateau } from './learning-rate.ts';
export { ModelCheckpoint } from './model-checkpoint.ts';
export { ProgbarLogger } from './progbar-logger.ts';
export { LambdaCallback, TerminateOnNaN } from './small-callbacks.ts';
export { SwapEMAWeights } from './swap-ema-weights.ts';
export { TensorBoard } from './tensor-board.ts';
