/** TF Serving's gRPC: PredictionService/Predict and GetModelMetadata, ModelService/GetModelStatus. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ServingContext } from '../context/serving-context.ts';
import type { VersionChoice } from '../models/model-versions.ts';
import { runSignature } from '../models/run-signature.ts';
import { DEFAULT_SIGNATURE, findSignature, type Signature } from '../servable/signatures.ts';
import { UNKNOWN_FEATURES_HEADER } from '../servable/unknown-features.ts';
import { invalidArgument, type StatusCode, toServingError } from '../status/serving-error.ts';
import { signatureDefs, statusMessage } from '../tensorflow/describe.ts';
import { checkOutputs } from '../tensorflow/output-filter.ts';
import type { Tensor } from '../tensors/tensor.ts';
import { encodeMessage } from './definitions.ts';
import { type TensorProto, tensorOf, tensorProtoOf } from './tensor-proto.ts';
import { type CallOptions, type SetTrailer, unary } from './unary.ts';

interface ModelSpec {
  name: string;
  version?: { value: string } | null;
  version_label?: string;
  version_choice?: 'version' | 'version_label';
  signature_name: string;
}

interface PredictRequest {
  model_spec: ModelSpec | null;
  inputs: Record<string, TensorProto>;
  output_filter: string[];
}

function specOf(spec: ModelSpec | null): ModelSpec {
  if (!spec) throw invalidArgument('Missing ModelSpec');
  return spec;
}

function choiceOf({ version_choice, version, version_label }: ModelSpec): VersionChoice {
  if (version_choice === 'version') return { version: Number(version!.value) };
  return version_choice === 'version_label' ? { label: version_label! } : {};
}

/** Handlers of `tensorflow.serving.PredictionService`. */
export function predictionService(context: ServingContext): UntypedServiceImplementation {
  const { registry, metrics } = context;
  const predict = async (request: PredictRequest, options: CallOptions, setTrailer: SetTrailer): Promise<object> => {
    const spec = specOf(request.model_spec);
    return registry.choose(spec.name, choiceOf(spec)).hold(async (served) => {
      const signature = findSignature(served.signatures, spec.signature_name);
      checkInputs(signature, Object.keys(request.inputs));
      const inputs = new Map<string, Tensor>();
      for (const [name, proto] of Object.entries(request.inputs)) inputs.set(name, tensorOf(name, proto));
      const { output_filter: wanted } = request;
      checkOutputs(served.servable, signature, wanted);
      const outputs = await runSignature(served, signature, inputs, {
        ...options,
        outputs: wanted,
        onUnknownFeatures: (text) => setTrailer(UNKNOWN_FEATURES_HEADER, text),
      });
      return {
        outputs: Object.fromEntries(Array.from(outputs, ([name, tensor]) => [name, tensorProtoOf(tensor)])),
        model_spec: {
          name: spec.name,
          version: { value: String(served.version) },
          signature_name: spec.signature_name || DEFAULT_SIGNATURE,
        },
      };
    });
  };
  return {
    Predict: unary(context, 'read', async (request: PredictRequest, options, setTrailer) => {
      const started = performance.now();
      let status: StatusCode | 'OK' = 'OK';
      try {
        return await predict(request, options, setTrailer);
      } catch (error) {
        status = toServingError(error).code;
        throw error;
      } finally {
        const name = request.model_spec?.name ?? '';
        const model_name = registry.models.some((model) => model.name === name) ? name : '';
        metrics.predicted(model_name, 'GRPC', status, performance.now() - started);
      }
    }),
    GetModelMetadata: unary(
      context,
      'read',
      ({ model_spec, metadata_field }: { model_spec: ModelSpec | null; metadata_field: string[] }) => {
        const spec = specOf(model_spec);
        if (metadata_field.length === 0)
          throw invalidArgument('GetModelMetadataRequest must specify at least one metadata_field');
        for (const field of metadata_field) {
          if (field !== 'signature_def') throw invalidArgument(`Metadata field ${field} is not supported`);
        }
        const { model, version, signatures } = registry.choose(spec.name, choiceOf(spec));
        const value = encodeMessage('tensorflow.serving.SignatureDefMap', { signature_def: signatureDefs(signatures) });
        const packed = { type_url: 'type.googleapis.com/tensorflow.serving.SignatureDefMap', value };
        return {
          model_spec: { name: model, version: { value: String(version) }, signature_name: '' },
          metadata: { signature_def: packed },
        };
      },
    ),
  };
}

/** Handlers of `tensorflow.serving.ModelService`. */
export function modelService(context: ServingContext): UntypedServiceImplementation {
  return {
    GetModelStatus: unary(context, 'read', ({ model_spec }: { model_spec: ModelSpec | null }) => {
      const spec = specOf(model_spec);
      return statusMessage(context.registry.status(spec.name, choiceOf(spec)));
    }),
  };
}

/** TF Serving's message for inputs that differ from those of the signature. */
function checkInputs({ inputs }: Signature, given: readonly string[]): void {
  const expected = inputs.map(({ name }) => name).sort();
  const got = [...given].sort();
  const extra = got.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !got.includes(name));
  if (extra.length + missing.length === 0) return;
  throw invalidArgument(
    `input size does not match signature: ${got.length}!=${expected.length} ` +
      `len({${got.join(',')}}) != len({${expected.join(',')}}). ` +
      `Sent extra: {${extra.join(',')}}. Missing but required: {${missing.join(',')}}.`,
  );
}
