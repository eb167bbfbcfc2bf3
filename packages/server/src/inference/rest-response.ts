/** Writes the body of a REST infer response: JSON, followed by the bytes of binary outputs. */

import { JsonWriter } from '../json/writer.ts';
import { elementWriter } from '../servable/json-element.ts';
import { UNKNOWN_FEATURES_PARAMETER } from '../servable/unknown-features.ts';
import { encodeTensor } from '../tensors/binary.ts';
import type { Tensor } from '../tensors/tensor.ts';
import type { InferResponse } from './infer.ts';

/** A body; `jsonLength` is set when bytes follow the JSON. */
export interface InferBody {
  body: Buffer;
  jsonLength: number | undefined;
}

/** The text that is being printed. */
const writer = new JsonWriter();

/** Write a response. */
export function writeInferResponse(
  answer: InferResponse,
  id: string | undefined,
  isBinary: (output: string) => boolean,
): InferBody {
  const parts: Uint8Array[] = [];
  const outputs = [...answer.outputs].map(([name, tensor]) => {
    const head = `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}]`;
    if (!isBinary(name)) return `${head},"data":[${tokensOf(tensor)}]}`;
    const bytes = encodeTensor(tensor);
    parts.push(bytes);
    return `${head},"parameters":{"binary_data_size":${bytes.byteLength}}}`;
  });
  const idPart = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  const hint = answer.unknownFeatures;
  const parameters =
    hint === undefined ? '' : `"parameters":{"${UNKNOWN_FEATURES_PARAMETER}":${JSON.stringify(hint)}},`;
  const json = Buffer.from(
    `{${idPart}"model_name":${JSON.stringify(answer.model)},"model_version":"${answer.version}",` +
      `${parameters}"outputs":[${outputs.join(',')}]}`,
  );
  if (parts.length === 0) return { body: json, jsonLength: undefined };
  return { body: Buffer.concat([json, ...parts]), jsonLength: json.byteLength };
}

function tokensOf({ datatype, data }: Tensor): string {
  const put = elementWriter(writer, datatype);
  writer.begin();
  for (let i = 0; i < data.length; i++) {
    if (i > 0) writer.text(',');
    put(data[i]!);
  }
  return writer.take();
}
