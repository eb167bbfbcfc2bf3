/** The Open Inference Protocol over gRPC, `inference.GRPCInferenceService`, with raw and typed tensor contents. */
import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ServingContext } from '../context/serving-context.ts';
import { modelConfig, modelMetadata, modelStatistics, repositoryIndex, serverMetadata } from '../inference/describe.ts';
import { infer, inputsByName, parseVersion } from '../inference/infer.ts';
import { checkRepositoryParameters } from '../inference/repository-parameters.ts';
import type { ServedVersion } from '../models/served-version.ts';
import { UNKNOWN_FEATURES_PARAMETER } from '../servable/unknown-features.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { decodeTensor, encodeTensor } from '../tensors/binary.ts';
import {
  checkDatatype,
  checkShape,
  type Datatype,
  type Element,
  elementCount,
  type Tensor,
} from '../tensors/tensor.ts';
import { type OpenStreams, type StreamAnswers, streamed } from './streams.ts';
import { type CallOptions, unary } from './unary.ts';

interface Parameter {
  parameter_choice?: 'bool_param' | 'int64_param' | 'string_param' | 'double_param' | 'uint64_param';
  bool_param?: boolean;
  int64_param?: string;
  string_param?: string;
  double_param?: number;
  uint64_param?: string;
}

interface Contents {
  bool_contents: boolean[];
  int_contents: number[];
  int64_contents: string[];
  uint_contents: number[];
  uint64_contents: string[];
  fp32_contents: number[];
  fp64_contents: number[];
  bytes_contents: Uint8Array[];
}

interface InputTensor {
  name: string;
  datatype: string;
  shape: string[];
  contents: Contents | null;
}

interface ModelInferRequest {
  model_name: string;
  model_version: string;
  id: string;
  parameters: Record<string, Parameter>;
  inputs: InputTensor[];
  outputs: { name: string }[];
  raw_input_contents: Buffer[];
}

interface ModelInferResponse {
  id: string;
  model_name?: string;
  model_version?: string;
  parameters?: Readonly<Record<string, Parameter>>;
  outputs?: { name: string; datatype: Datatype; shape: readonly number[] }[];
  raw_output_contents?: Uint8Array[];
}

interface ModelName {
  name: string;
  version: string;
}

/** Handlers of `inference.GRPCInferenceService`. */
export function inferenceService(context: ServingContext, streams: OpenStreams): UntypedServiceImplementation {
  const { registry, limits } = context;
  const choose = ({ name, version }: ModelName): ServedVersion =>
    registry.choose(name, { version: parseVersion(version) });
  return {
    ServerLive: unary(context, 'open', () => ({ live: true })),
    ServerReady: unary(context, 'open', () => ({ ready: context.isReady() })),
    ModelReady: unary(context, 'open', (request: ModelName) => {
      choose(request);
      return { ready: context.isReady() };
    }),
    ServerMetadata: unary(context, 'read', () => serverMetadata(context.serverVersion)),
    ModelMetadata: unary(context, 'read', (request: ModelName) =>
      modelMetadata(registry.find(request.name), choose(request)),
    ),
    ModelInfer: unary(context, 'read', (request: ModelInferRequest, options) => modelInfer(context, request, options)),
    ModelStreamInfer: streamed(context, 'read', streams, (call) => streamAnswers(context, call)),
    ModelConfig: unary(context, 'read', (request: ModelName) => ({
      config: modelConfig(choose(request), limits.queries),
    })),
    ModelStatistics: unary(context, 'read', async (request: ModelName) =>
      modelStatistics(request.name === '' ? registry.served : [choose(request)], await context.peers.statistics()),
    ),
    RepositoryIndex: unary(context, 'read', ({ ready }: { ready: boolean }) => ({
      models: repositoryIndex(registry, { ready }),
    })),
    RepositoryModelLoad: unary(context, 'write', async ({ model_name, parameters }: RepositoryMessage) => {
      const model = registry.find(model_name);
      checkRepositoryParameters('load', parameters);
      await model.load();
      if (!model.newest) throw invalidArgument(`failed to load '${model_name}'`);
      return {};
    }),
    RepositoryModelUnload: unary(context, 'write', async ({ model_name, parameters }: RepositoryMessage) => {
      const model = registry.find(model_name);
      checkRepositoryParameters('unload', parameters);
      await model.unload();
      return {};
    }),
  };
}

/** A request that loads or unloads a model. */
interface RepositoryMessage {
  model_name: string;
  parameters: Record<string, object>;
}

interface ModelStreamInferResponse {
  error_message: string;
  infer_response: ModelInferResponse;
}

/** The parameter with which Triton marks the final response to a request. */
const FINAL: Readonly<Record<string, Parameter>> = { triton_final_response: { bool_param: true } };

/** As in Triton, an error is a message of the stream; with the header `triton_grpc_error` it ends the stream. */
function streamAnswers(
  context: ServingContext,
  { metadata }: ServerDuplexStream<ModelInferRequest, ModelStreamInferResponse>,
): StreamAnswers<ModelInferRequest, ModelStreamInferResponse> {
  const endsAtRefusal = metadata.get('triton_grpc_error')[0] === 'true';
  return {
    answer: async (request, options) => {
      const response = await modelInfer(context, request, options);
      return { error_message: '', infer_response: { ...response, parameters: { ...response.parameters, ...FINAL } } };
    },
    refuse: ({ id }, { message }) =>
      endsAtRefusal ? undefined : { error_message: message, infer_response: { id, parameters: FINAL } },
  };
}

async function modelInfer(
  { registry }: ServingContext,
  request: ModelInferRequest,
  options: CallOptions,
): Promise<ModelInferResponse> {
  const raw = request.raw_input_contents;
  if (raw.length > 0 && raw.length !== request.inputs.length) {
    throw invalidArgument(
      `raw_input_contents: expected ${request.inputs.length}, one for each input, got ${raw.length}`,
    );
  }
  const inputs = inputsByName(request.inputs.map((input, i) => [input.name, readInput(input, raw[i])] as const));
  const parameters = new Map<string, string | number | boolean>();
  for (const [name, parameter] of Object.entries(request.parameters)) {
    const choice = parameter.parameter_choice;
    if (!choice) continue;
    const value = parameter[choice]!;
    parameters.set(name, choice === 'int64_param' || choice === 'uint64_param' ? Number(value) : value);
  }
  const outputs = request.outputs.map(({ name }) => name);
  const { model_name: model, model_version: version } = request;
  const answer = await infer(registry, { model, version, parameters, inputs, outputs }, options);
  const tensors = [...answer.outputs];
  return {
    model_name: answer.model,
    model_version: answer.version,
    id: request.id,
    ...(answer.unknownFeatures !== undefined && {
      parameters: { [UNKNOWN_FEATURES_PARAMETER]: { string_param: answer.unknownFeatures } },
    }),
    outputs: tensors.map(([name, { datatype, shape }]) => ({ name, datatype, shape })),
    raw_output_contents: tensors.map(([, tensor]) => encodeTensor(tensor)),
  };
}

function readInput({ name, datatype: word, shape: sizes, contents }: InputTensor, raw: Buffer | undefined): Tensor {
  const datatype = checkDatatype(name, word);
  const shape = sizes.map(Number);
  checkShape(name, shape, elementCount(shape));
  if (raw && contents) throw invalidArgument(`input '${name}': expected raw_input_contents or contents, got both`);
  if (raw) return decodeTensor(name, datatype, shape, raw);
  const data = contents ? contentsOf(name, contents, datatype) : [];
  checkShape(name, shape, data.length);
  return { datatype, shape, data };
}

function contentsOf(name: string, contents: Contents, datatype: Datatype): ArrayLike<Element> {
  switch (datatype) {
    case 'BOOL':
      return contents.bool_contents;
    case 'INT64':
      return contents.int64_contents.map(BigInt);
    case 'UINT64':
      return contents.uint64_contents.map(BigInt);
    case 'UINT8':
    case 'UINT16':
    case 'UINT32':
      return contents.uint_contents;
    case 'FP32':
      return contents.fp32_contents;
    case 'FP64':
      return contents.fp64_contents;
    case 'BYTES':
      return contents.bytes_contents;
    case 'FP16':
      throw invalidArgument(`input '${name}': expected raw_input_contents for FP16, got contents`);
    default:
      return contents.int_contents;
  }
}
