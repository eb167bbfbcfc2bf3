/**
 * Metadata, configuration, statistics and the repository index of models, in the form of the Open Inference Protocol.
 */
import type { Model } from '../models/model.ts';
import type { ModelRegistry } from '../models/registry.ts';
import type { ServedVersion } from '../models/served-version.ts';
import type { VersionRecord } from '../models/version-record.ts';
import { summed, type VersionReport } from '../models/version-statistics.ts';
import { DEFAULT_SIGNATURE } from '../servable/signatures.ts';
import type { TensorSpec } from '../tensors/tensor.ts';

/** The value of `platform` in a model's metadata. */
const PLATFORM = 'shortlist';

/** The supported extensions, by Triton's names. */
export const EXTENSIONS: readonly string[] = [
  'model_repository',
  'model_configuration',
  'binary_tensor_data',
  'parameters',
  'statistics',
];

/** Server metadata. */
export function serverMetadata(version: string): { name: string; version: string; extensions: readonly string[] } {
  return { name: 'shortlist', version, extensions: EXTENSIONS };
}

interface TensorMetadata {
  name: string;
  datatype: string;
  shape: readonly number[];
}

/** Metadata of a version; `versions` lists all versions that serve. */
export function modelMetadata(
  model: Model,
  served: ServedVersion,
): { name: string; versions: string[]; platform: string; inputs: TensorMetadata[]; outputs: TensorMetadata[] } {
  const { inputs, outputs } = served.signatures.get(DEFAULT_SIGNATURE)!;
  const tensor = ({ name, datatype, shape }: TensorSpec): TensorMetadata => ({ name, datatype, shape });
  return {
    name: model.name,
    versions: model.records.filter(({ state }) => state === 'AVAILABLE').map(({ version }) => String(version)),
    platform: PLATFORM,
    inputs: inputs.map(tensor),
    outputs: outputs.map(tensor),
  };
}

/** Configuration of a version: those fields of Triton's model configuration that apply here. */
export function modelConfig(
  { model, signatures }: ServedVersion,
  maxQueries: number,
): { name: string; platform: string; backend: string; max_batch_size: number; input: object[]; output: object[] } {
  const { inputs, outputs } = signatures.get(DEFAULT_SIGNATURE)!;
  // Shapes in Triton's configuration do not contain the batch dimension.
  const tensor = ({ name, datatype, shape }: TensorSpec): object => ({
    name,
    data_type: `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`,
    dims: shape.length > 1 ? shape.slice(1).map(String) : ['1'],
  });
  return {
    name: model,
    platform: PLATFORM,
    backend: PLATFORM,
    max_batch_size: maxQueries,
    input: inputs.map(tensor),
    output: outputs.map(tensor),
  };
}

interface Duration {
  count: number;
  ns: number;
}

/** Statistics of one version. */
export interface ModelStatistics {
  name: string;
  version: string;
  last_inference: number;
  inference_count: number;
  execution_count: number;
  inference_stats: Record<
    'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output',
    Duration
  >;
  batch_stats: never[];
}

/** Statistics of the versions that serve, including those of other processes. */
export function modelStatistics(
  served: readonly ServedVersion[],
  peers: readonly VersionReport[],
): { model_stats: ModelStatistics[] } {
  const inAll = ({ model, version, statistics }: ServedVersion): VersionReport => {
    const others = peers.filter((other) => other.model === model && other.version === version);
    return { model, version, statistics: summed([statistics, ...others.map((other) => other.statistics)]) };
  };
  const duration = (count: number, ms: number): Duration => ({ count, ns: Math.round(ms * 1e6) });
  return {
    model_stats: served.map(inAll).map(({ model, version, statistics }) => ({
      name: model,
      version: String(version),
      last_inference: statistics.lastInferenceMs,
      inference_count: statistics.inferences,
      execution_count: statistics.executions,
      inference_stats: {
        success: duration(statistics.succeeded, statistics.succeededMs),
        fail: duration(statistics.failed, statistics.failedMs),
        queue: duration(statistics.executions, statistics.queueMs),
        compute_input: duration(statistics.executions, 0),
        compute_infer: duration(statistics.executions, statistics.computeMs),
        compute_output: duration(statistics.executions, 0),
      },
      batch_stats: [],
    })),
  };
}

/** One entry of the repository index. */
export interface RepositoryEntry {
  name: string;
  version?: string;
  state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  reason?: string;
}

/** The repository index: all versions that were found, or only those that serve. */
export function repositoryIndex(registry: ModelRegistry, { ready }: { ready: boolean }): RepositoryEntry[] {
  return registry.models
    .flatMap(({ name, records }): RepositoryEntry[] =>
      records.length === 0
        ? [{ name, state: 'UNAVAILABLE', reason: 'no version was found' }]
        : records.map((record) => ({ name, version: String(record.version), ...stateOf(record) })),
    )
    .filter(({ state }) => !ready || state === 'READY');
}

function stateOf({ state, errorMessage }: VersionRecord): Pick<RepositoryEntry, 'state' | 'reason'> {
  if (state === 'AVAILABLE') return { state: 'READY' };
  if (state === 'START' || state === 'LOADING') return { state: 'LOADING' };
  if (state === 'UNLOADING') return { state: 'UNLOADING' };
  return { state: 'UNAVAILABLE', reason: errorMessage || 'unloaded' };
}
