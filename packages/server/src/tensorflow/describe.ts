/**
 * Status and metadata of a model in TF Serving's JSON: proto field names, 64-bit integers as strings, one space per
 * level.
 */

import type { ServedVersion } from '../models/served-version.ts';
import { VERSION_STATES, type VersionRecord } from '../models/version-record.ts';
import { PREDICT_METHOD, type Signature } from '../servable/signatures.ts';
import { STATUS_CODES } from '../status/serving-error.ts';
import type { TensorSpec } from '../tensors/tensor.ts';
import { TF_DATATYPES } from './datatypes.ts';

/** Print as Protobuf's JSON printer does: indented by one space, with a line break at the end. */
const print = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;

/** The body of a status request. */
export function printStatus(records: readonly VersionRecord[]): string {
  return print({
    model_version_status: records.map(({ version, state, errorCode, errorMessage }) => ({
      version: String(version),
      state,
      status: { error_code: errorCode, error_message: errorMessage },
    })),
  });
}

/** The same content as a GetModelStatusResponse of gRPC. */
export function statusMessage(records: readonly VersionRecord[]): object {
  return {
    model_version_status: records.map(({ version, state, errorCode, errorMessage }) => ({
      version: String(version),
      state: VERSION_STATES[state],
      status: { error_code: errorCode === 'OK' ? 0 : STATUS_CODES[errorCode].grpc, error_message: errorMessage },
    })),
  };
}

interface TensorInfo {
  dtype: string;
  tensor_shape: { dim: { size: string; name: string }[]; unknown_rank: boolean };
  name: string;
}

function tensorInfo({ name, datatype, shape }: TensorSpec, signature: string): TensorInfo {
  return {
    dtype: TF_DATATYPES[datatype].name,
    tensor_shape: { dim: shape.map((size) => ({ size: String(size), name: '' })), unknown_rank: false },
    // TF names a node of the graph here. There is no graph, so the name consists of the signature and the tensor.
    name: `${signature}_${name}:0`,
  };
}

interface SignatureDef {
  inputs: Record<string, TensorInfo>;
  outputs: Record<string, TensorInfo>;
  method_name: string;
}

/** Convert signatures to the proto map SignatureDefMap.signature_def. */
export function signatureDefs(signatures: ReadonlyMap<string, Signature>): Record<string, SignatureDef> {
  const infos = (specs: readonly TensorSpec[], name: string): Record<string, TensorInfo> =>
    Object.fromEntries(specs.map((spec) => [spec.name, tensorInfo(spec, name)]));
  return Object.fromEntries(
    [...signatures].map(([name, { inputs, outputs }]) => [
      name,
      { inputs: infos(inputs, name), outputs: infos(outputs, name), method_name: PREDICT_METHOD },
    ]),
  );
}

/** The body of a metadata request. */
export function printMetadata({ model, version, signatures }: ServedVersion): string {
  return print({
    model_spec: { name: model, signature_name: '', version: String(version) },
    metadata: { signature_def: { signature_def: signatureDefs(signatures) } },
  });
}
