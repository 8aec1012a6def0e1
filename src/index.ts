/** The public names of Hornet, each listed. Files inside the project import one another, never this one. */
export { type ClassLabel, readLabels } from './applications/class-labels.ts';
export {
  type DecodedPrediction,
  type DecodePredictionsOptions,
  decodePredictions,
} from './applications/decode-predictions.ts';
export type { ImageModelOptions } from './applications/image-model.ts';
export { type MobileNetOptions, mobileNet } from './applications/mobile-net.ts';
export { type MobileNetV2Options, mobileNetV2 } from './applications/mobile-net-v2.ts';
export { type PreprocessInputOptions, type PreprocessMode, preprocessInput } from './applications/preprocess-input.ts';
export { resNet50 } from './applications/res-net.ts';
export type { Dtype, StorageDtype } from './array/dtype.ts';
export type { WeightDtype } from './array/narrow-array.ts';
export { formatShape, type PartialShape, type Shape } from './array/shape.ts';
export { type NestedArray, Tensor, tensor } from './array/tensor.ts';
export type { Bandwidth, MachinePeak } from './backends/wasm/measure-peak.ts';
export { type WasmBackend, type WasmBackendOptions, wasmBackend } from './backends/wasm/wasm-backend.ts';
export type { Backend, Program } from './compiler/backend.ts';
export {
  BackendError,
  FormatError,
  NetworkError,
  NotFoundError,
  QuotaError,
  ShapeError,
  UnsupportedError,
} from './errors.ts';
export type { JsonObject, JsonValue, ModelArtifacts, WeightEntry, Weights } from './formats/artifacts.ts';
export { decodeNpy, encodeNpy } from './formats/npz/npy.ts';
export type { SymbolicTensor } from './graph/node.ts';
export type { Variable } from './graph/variable.ts';
export type { CheckpointVersion, DamagedVersion } from './io/checkpoint-records.ts';
export {
  type CheckpointDetails,
  Checkpoints,
  type CheckpointsOptions,
} from './io/checkpoints.ts';
export type { WhichCheckpoint } from './io/choose-checkpoints.ts';
export type { CheckpointComparison, CheckpointWeightDifference } from './io/compare-checkpoints.ts';
export type { CompressedWeight, CompressOptions, WeightCompression } from './io/compress-weights.ts';
export {
  type LoadLayersModelOptions,
  type LoadModelOptions,
  type LoadWeightsOptions,
  loadLayersModel,
  loadModel,
} from './io/load.ts';

export {
  type CopyModelOptions,
  copyModel,
  listModels,
  type ModelInfo,
  type ModelPlace,
  modelInfo,
  moveModel,
  removeModel,
} from './io/manage-models.ts';
export type { OnProgress, ProgressDetails } from './io/progress.ts';
export type { Quantize } from './io/quantize-rule.ts';
export { type ReadOptions, readArtifacts } from './io/read-artifacts.ts';
export type { BytesOptions, SaveDestination, SaveHandler, SaveOptions, SaveReport } from './io/save.ts';
export type { SaveFormat } from './io/save-formats.ts';
export { predictSeeded, type SeededPrediction } from './io/seeded-inputs.ts';
export type { ModelSource } from './io/source.ts';
export type { ArtifactsOptions, LayersModelArtifacts } from './io/to-artifacts.ts';
export { loadTrainingState, saveTrainingState } from './io/training-state.ts';
export type { OnSaveProgress, SaveProgress } from './io/write-files.ts';
export { Activation } from './layers/activations/activation.ts';
export { PReLU } from './layers/activations/prelu.ts';
export { ELU, LeakyReLU, ReLU, ThresholdedReLU } from './layers/activations/rectifiers.ts';
export { Softmax } from './layers/activations/softmax.ts';
export { AdditiveAttention, Attention } from './layers/attention/attention.ts';
export { GroupQueryAttention } from './layers/attention/grouped-query-attention.ts';
export { MultiHeadAttention } from './layers/attention/multi-head-attention.ts';
export { Conv1D, Conv2D, Conv3D } from './layers/convolutional/conv.ts';
export { Conv1DTranspose, Conv2DTranspose, Conv3DTranspose } from './layers/convolutional/conv-transpose.ts';
export { DepthwiseConv1D, DepthwiseConv2D } from './layers/convolutional/depthwise-conv.ts';
export { LocallyConnected1D, LocallyConnected2D } from './layers/convolutional/locally-connected.ts';
export { SeparableConv1D, SeparableConv2D } from './layers/convolutional/separable-conv.ts';
export { Dense } from './layers/core/dense.ts';
export { EinsumDense } from './layers/core/einsum-dense.ts';
export { Embedding, ReversibleEmbedding } from './layers/core/embedding.ts';
export { Identity } from './layers/core/identity.ts';
export { Lambda } from './layers/core/lambda.ts';
export { Masking } from './layers/core/masking.ts';
export * as fields from './layers/fields.ts';
export { InputLayer, input } from './layers/input-layer.ts';
export { KerasTensor } from './layers/keras-tensor.ts';
export { type CallContext, clearSession, Layer, type LayerConfig, layerFields } from './layers/layer.ts';
export { Concatenate } from './layers/merging/concatenate.ts';
export { Dot } from './layers/merging/dot.ts';
export { Add, Average, Maximum, Minimum, Multiply, Subtract } from './layers/merging/merge.ts';
export { BatchNormalization } from './layers/normalization/batch-normalization.ts';
export { GroupNormalization } from './layers/normalization/group-normalization.ts';
export { LayerNormalization, RMSNormalization, UnitNormalization } from './layers/normalization/layer-normalization.ts';
export { SpectralNormalization } from './layers/normalization/spectral-normalization.ts';
export {
  AdaptiveAveragePooling1D,
  AdaptiveAveragePooling2D,
  AdaptiveAveragePooling3D,
  AdaptiveMaxPooling1D,
  AdaptiveMaxPooling2D,
  AdaptiveMaxPooling3D,
} from './layers/pooling/adaptive-pooling.ts';
export {
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalAveragePooling3D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  GlobalMaxPooling3D,
} from './layers/pooling/global-pooling.ts';
export {
  AveragePooling1D,
  AveragePooling2D,
  AveragePooling3D,
  MaxPooling1D,
  MaxPooling2D,
  MaxPooling3D,
} from './layers/pooling/pooling.ts';
export { AutoContrast } from './layers/preprocessing/auto-contrast.ts';
export { CategoryEncoding } from './layers/preprocessing/category-encoding.ts';
export { ContrastLimitedAdaptiveHistogramEqualization } from './layers/preprocessing/clahe.ts';
export { Discretization } from './layers/preprocessing/discretization.ts';
export { HashedCrossing, Hashing } from './layers/preprocessing/hashing.ts';
export { IntegerLookup } from './layers/preprocessing/integer-lookup.ts';
export { MaxNumBoundingBoxes } from './layers/preprocessing/max-num-bounding-boxes.ts';
export { Normalization } from './layers/preprocessing/normalization.ts';
export { Pipeline } from './layers/preprocessing/pipeline.ts';
export { RandomCrop } from './layers/preprocessing/random-crop.ts';
export { Rescaling } from './layers/preprocessing/rescaling.ts';
export { CenterCrop, Resizing } from './layers/preprocessing/resizing.ts';
export { StringLookup } from './layers/preprocessing/string-lookup.ts';
export { TextVectorization } from './layers/preprocessing/text-vectorization.ts';
export { ActivityRegularization } from './layers/regularization/activity-regularization.ts';
export { Dropout } from './layers/regularization/dropout.ts';
export {
  AlphaDropout,
  GaussianDropout,
  GaussianNoise,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
} from './layers/regularization/noise.ts';
export { Cropping1D, Cropping2D, Cropping3D } from './layers/reshaping/cropping.ts';
export { Flatten, Permute, RepeatVector, Reshape } from './layers/reshaping/reshape.ts';
export { UpSampling1D, UpSampling2D, UpSampling3D } from './layers/reshaping/up-sampling.ts';
export { ZeroPadding1D, ZeroPadding2D, ZeroPadding3D } from './layers/reshaping/zero-padding.ts';
export { Bidirectional } from './layers/rnn/bidirectional.ts';
export { ConvLSTM1D, ConvLSTM2D, ConvLSTM3D } from './layers/rnn/conv-lstm.ts';
export { ConvLSTM2DCell } from './layers/rnn/conv-lstm-cell.ts';
export { CuDNNGRU, CuDNNLSTM } from './layers/rnn/cudnn.ts';
export { GRU, GRUCell } from './layers/rnn/gru.ts';
export { LSTM, LSTMCell } from './layers/rnn/lstm.ts';
export { RNN } from './layers/rnn/rnn.ts';
export { SimpleRNN, SimpleRNNCell } from './layers/rnn/simple-rnn.ts';
export { StackedRNNCells } from './layers/rnn/stacked-rnn-cells.ts';
export { TimeDistributed } from './layers/rnn/time-distributed.ts';
export { type CloneModelOptions, cloneModel } from './model/clone-model.ts';
export { setBackend } from './model/default-backend.ts';
export { KerasModel } from './model/keras-model.ts';
export { Model } from './model/model.ts';
export type { PredictBatch, PredictDataset } from './model/predict-batches.ts';
export type { PredictOptions, PredictOutputs } from './model/predictor.ts';
export {
  type KernelProfile,
  type ModelProfile,
  type ProfiledMemory,
  type ProfileOptions,
  profileModel,
} from './model/profile-model.ts';
export type { InputValue, PredictInputs } from './model/read-inputs.ts';
export { Sequential } from './model/sequential.ts';
export type { SummaryOptions } from './model/summary.ts';
export * as ops from './ops/public.ts';
export { type ModelFromJSONOptions, modelFromJSON } from './serialization/build-model.ts';
export {
  type CustomFunction,
  CustomObjectError,
  type CustomObjects,
  type LayerClass,
} from './serialization/custom-objects.ts';
export type { NumbersOf } from './serialization/dialect.ts';
export { LoadError } from './serialization/load-error.ts';
export type { LoadReport } from './serialization/report.ts';
export { type DirectoryHandle, directoryStore, opfsStore } from './storage/directory-store.ts';
export { fileSystemStore } from './storage/file-system-store.ts';
export {
  type HttpStoreOptions,
  httpStore,
  type PresignedStoreOptions,
  presignedStore,
} from './storage/http-store.ts';
export { type IndexedDbStoreOptions, indexedDbStore } from './storage/indexed-db-store.ts';
export { type KeyValueStoreOptions, type KeyValueTable, keyValueStore } from './storage/key-value-store.ts';
export { type LocalStorageStoreOptions, localStorageStore } from './storage/local-storage-store.ts';
export { memoryStore } from './storage/memory-store.ts';
export type { FileInfo, OpenOptions, Store } from './storage/store.ts';
export type { CallbackParams, CallbackState, Logs, PlainValue, PredictLogs } from './training/callbacks/callback.ts';
export type { History } from './training/callbacks/history.ts';
export * as callbacks from './training/callbacks/public.ts';
export type { ClassWeight } from './training/class-weights.ts';
export type { MetricLike, MetricsOption } from './training/compiled-metrics.ts';
export type { LossLike, ModelCompileOptions } from './training/compiled-model.ts';
export type { Dataset } from './training/data-source.ts';
export type { BatchOptions, EvaluateOptions, FitOptions } from './training/fit-options.ts';
export type { LearningRateMultipliers } from './training/learning-rate-multipliers.ts';
export type { LossFunction } from './training/losses/loss.ts';
export * as losses from './training/losses/public.ts';
export * as metrics from './training/metrics/public.ts';
export * as optimizers from './training/optimizers/public.ts';
export type { PerOutput } from './training/per-output.ts';
export type { BatchLike, TargetValues } from './training/samples.ts';
export * as schedules from './training/schedules/public.ts';
export { type TrainingPosition, type TrainingState, TrainingStateError } from './training/training-state.ts';
