/** The body of a REST infer response: JSON, with the bytes of binary outputs behind it. */
import { float64Token } from '../json/decimal.ts';
import { JsonWriter } from '../json/writer.ts';
import { encodeTensor } from '../tensors/binary.ts';
import { type Element, type Tensor, textOf } from '../tensors/tensor.ts';
import type { InferAnswer } from './infer.ts';

/** A body; `jsonLength` is set when bytes follow the JSON. */
export interface InferBody {
  body: Buffer;
  jsonLength: number | undefined;
}

/** What is being printed. */
const writer = new JsonWriter();

/** Write an answer. */
export function writeInferResponse(
  answer: InferAnswer,
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
  const json = Buffer.from(
    `{${idPart}"model_name":${JSON.stringify(answer.model)},"model_version":"${answer.version}",` +
      `"outputs":[${outputs.join(',')}]}`,
  );
  if (parts.length === 0) return { body: json, jsonLength: undefined };
  return { body: Buffer.concat([json, ...parts]), jsonLength: json.byteLength };
}

function tokensOf({ datatype, data }: Tensor): string {
  const put =
    datatype === 'FP32' || datatype === 'FP16'
      ? (element: Element) => writer.float32(element as number)
      : datatype === 'FP64'
        ? (element: Element) => writer.text(float64Token(element as number))
        : datatype === 'BYTES'
          ? (element: Element) => writer.string(textOf(element))
          : (element: Element) => writer.text(String(element));
  writer.begin();
  for (let i = 0; i < data.length; i++) {
    if (i > 0) writer.text(',');
    put(data[i]!);
  }
  return writer.take();
}
