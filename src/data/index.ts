/** Records: sources, formats, features, batches, as `kagurazaka/data`. Formats and their engines load when they are first used. */
export { type Batch, batchOf, type Column, type NumberArray, type Row, rowsOf, sliceBatch } from "./batch/batch.js";
export { concatBatches } from "./batch/concat.js";
export { BadValue, createRowCheck } from "./features/check.js";
export type { DType, TimeUnit } from "./features/dtypes.js";
export {
  ClassLabel,
  type Feature,
  type FeatureLike,
  type FeatureOf,
  type Features,
  type FeaturesLike,
  features,
  featureText,
  Json,
  type JsonFeature,
  List,
  type MapFeature,
  MapOf,
  Nullable,
  type Struct,
  Value,
  type ValueOf,
} from "./features/feature.js";
export { fromHuggingFace, toHuggingFace } from "./features/hugging-face.js";
export { FeatureInference } from "./features/infer.js";
export { FeatureConflict, NoFeature, unifyFeatures } from "./features/unify.js";
export * from "./formats/format.js";
export { formatNames, formatOfName, loadFormat, packingExtension } from "./formats/registry.js";
export { type ColumnOf, Dataset, type PickColumns, type RowOf } from "./loader/dataset.js";
export { DatasetDict, type LoadOptions, loadDataset } from "./loader/load-dataset.js";
export { StreamingDataset } from "./loader/streaming-dataset.js";
export {
  type BatchResult,
  defineMap,
  type MapContext,
  type MapDefinition,
  mapOf,
  type RowFunction,
  type RowResult,
} from "./map/define-map.js";
export { checkNodeOptions, type MapOptions, MapWorker, planMap } from "./map/map-job.js";
export { type MapCounts, type MapSliceRequest, mapSlice, type OnError, type RejectedRow } from "./map/map-slice.js";
export { writeCard } from "./parts/card.js";
export { partName, REJECTED_DIRECTORY } from "./parts/layout.js";
export { factsPath, type Manifest, type PartFacts, stemOf, writeManifest } from "./parts/manifest.js";
export type { PartItem, PartsJob } from "./parts/parts-job.js";
export { awaitPlan, fingerprintOf, type PartsPlan, readPlan, writePlan } from "./parts/plan-file.js";
export { openShard, type Shard } from "./shard/shard.js";
export { planSlices, type Slice } from "./source/slices.js";
export { openSource, type Source, type SourceShard } from "./source/source.js";
export { openFile } from "./stores/index.js";
export { type DataFile, defineStore, type ListedFile, type Store } from "./stores/store.js";
export { openWriter, type WriterOptions, writeRows } from "./writer/open-writer.js";
export type { RowWriter } from "./writer/row-writer.js";
