/**
 * Writes an element of a tensor as JSON. Both protocols share this, except for bytes, which TF Serving may write as
 * base64.
 */

import { float64Token } from '../json/decimal.ts';
import { integerText } from '../json/integer.ts';
import type { JsonWriter } from '../json/writer.ts';
import { type Datatype, type Element, textOf } from '../tensors/tensor.ts';

/** The function that writes elements of a datatype. */
export function elementWriter(writer: JsonWriter, datatype: Datatype): (element: Element) => void {
  if (datatype === 'FP32' || datatype === 'FP16') return (element) => writer.float32(element as number);
  if (datatype === 'FP64') return (element) => writer.text(float64Token(element as number));
  if (datatype === 'BYTES') return (element) => writer.string(textOf(element));
  if (datatype === 'BOOL') return (element) => writer.text(String(element));
  return (element) => writer.text(integerText(element as bigint));
}
