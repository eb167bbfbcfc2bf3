/**
 * Prints tensors as the JSON of a predict response, with the same bytes as TF Serving's pretty writer. Row form
 * (`predictions`) has the arrays of each instance on one line; column form (`outputs`) has one line per value.
 */

import { integerText } from '../json/integer.ts';
import { JsonWriter } from '../json/writer.ts';
import type { QueryResult } from '../servable/contract.ts';
import { elementWriter } from '../servable/json-element.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { bytesOf, type Element, elementCount, type Tensor, type Tensors } from '../tensors/tensor.ts';

const INDENT = '    ';
// The constant parts are literals, because text that is concatenated at run time is a rope, which is slow to read by
// characters.
const PREDICTIONS_BEGIN = '{\n    "predictions": [';
const PREDICTIONS_END = '\n    ]\n}';
const ROW_BEGIN = '\n        {\n';
const ROW_END = '\n        }';

/** Cache of the text before an output's values in row form, by the output's name; signatures have few outputs. */
const labels = new Map<string, string>();

function labelOf(name: string): string {
  let label = labels.get(name);
  if (label === undefined) {
    label = Buffer.from(`            ${JSON.stringify(name)}: `).toString();
    labels.set(name, label);
  }
  return label;
}

/** The text that is being printed. */
const writer = new JsonWriter();

/** Writes one element of a tensor; `indent` precedes each further line of an element that takes several lines. */
type Put = (element: Element, indent: string) => void;

function putOf(name: string, { datatype }: Tensor): Put {
  if (datatype !== 'BYTES' || !name.endsWith('_bytes')) return elementWriter(writer, datatype);
  return (element, indent) => {
    const base64 = Buffer.from(bytesOf(element)).toString('base64');
    writer.text(`{\n${indent}${INDENT}"b64": "${base64}"\n${indent}}`);
  };
}

/** Print outputs in row form. @throws {ServingError} INVALID_ARGUMENT when outputs have different batch sizes */
export function printPredictions(outputs: Tensors): string {
  const [first] = outputs.values();
  const rows = first?.shape[0] ?? 0;
  for (const [name, { shape }] of outputs) {
    if (shape.length === 0) throw invalidArgument(`Tensor name: ${name} has no shape information `);
    if (shape[0]! < 1) throw invalidArgument(`Tensor name: ${name} has invalid batch size: ${shape[0]}`);
    if (shape[0] !== rows) {
      throw invalidArgument(`Tensor name: ${name} has inconsistent batch size: ${shape[0]} expecting: ${rows}`);
    }
  }
  const columns = Array.from(outputs, ([name, tensor]) => {
    const inner = tensor.shape.slice(1);
    return { label: labelOf(name), data: tensor.data, inner, size: elementCount(inner), put: putOf(name, tensor) };
  });
  // If there is one output, its items share a line, and only the closing bracket is on a new line.
  const isOne = columns.length === 1;
  writer.begin();
  writer.text(PREDICTIONS_BEGIN);
  for (let row = 0; row < rows; row++) {
    if (row > 0) writer.text(isOne ? ', ' : ',');
    if (!isOne) writer.text(ROW_BEGIN);
    for (let c = 0; c < columns.length; c++) {
      const { label, data, inner, size, put } = columns[c]!;
      if (c > 0) writer.text(',\n');
      if (!isOne) writer.text(label);
      singleLine(data, inner, 0, row * size, put);
    }
    if (!isOne) writer.text(ROW_END);
  }
  writer.text(PREDICTIONS_END);
  return writer.take();
}

/** Print the candidates of one query in row form: the same text as that of `printPredictions`, in half of the time. */
export function printPrediction({ identifiers, scores }: QueryResult): string {
  writer.begin();
  writer.text(PREDICTIONS_BEGIN);
  writer.text(ROW_BEGIN);
  writer.text(labelOf('identifiers'));
  writer.text('[');
  for (let i = 0; i < identifiers.length; i++) {
    if (i > 0) writer.comma();
    const identifier = identifiers[i]!;
    if (typeof identifier === 'string') writer.string(identifier);
    else writer.text(integerText(identifier));
  }
  writer.text('],\n');
  writer.text(labelOf('scores'));
  writer.text('[');
  for (let i = 0; i < scores.length; i++) {
    if (i > 0) writer.comma();
    writer.float32(scores[i]!);
  }
  writer.text(']');
  writer.text(ROW_END);
  writer.text(PREDICTIONS_END);
  return writer.take();
}

function singleLine(data: ArrayLike<Element>, shape: readonly number[], dim: number, at: number, put: Put): void {
  if (dim === shape.length) {
    put(data[at]!, '');
    return;
  }
  const stride = elementCount(shape.slice(dim + 1));
  writer.text('[');
  for (let i = 0; i < shape[dim]!; i++) {
    if (i > 0) writer.comma();
    if (dim === shape.length - 1) put(data[at + i]!, '');
    else singleLine(data, shape, dim + 1, at + i * stride, put);
  }
  writer.text(']');
}

/** Print outputs in column form. */
export function printOutputs(outputs: Tensors): string {
  const isOne = outputs.size === 1;
  writer.begin();
  writer.text(`{\n${INDENT}"outputs": ${isOne ? '' : '{\n'}`);
  let isFirst = true;
  for (const [name, tensor] of outputs) {
    if (!isFirst) writer.text(',\n');
    isFirst = false;
    if (!isOne) writer.text(`${INDENT.repeat(2)}${JSON.stringify(name)}: `);
    multiLine(tensor, 0, 0, isOne ? 1 : 2, putOf(name, tensor));
  }
  writer.text(isOne ? '\n}' : `\n${INDENT}}\n}`);
  return writer.take();
}

function multiLine(tensor: Tensor, dim: number, at: number, depth: number, put: Put): void {
  const { shape, data } = tensor;
  if (dim === shape.length) {
    put(data[at]!, INDENT.repeat(depth));
    return;
  }
  if (shape[dim] === 0) {
    writer.text('[]');
    return;
  }
  const stride = elementCount(shape.slice(dim + 1));
  const indent = INDENT.repeat(depth + 1);
  writer.text('[');
  for (let i = 0; i < shape[dim]!; i++) {
    writer.text(i > 0 ? `,\n${indent}` : `\n${indent}`);
    multiLine(tensor, dim + 1, at + i * stride, depth + 1, put);
  }
  writer.text(`\n${INDENT.repeat(depth)}]`);
}
