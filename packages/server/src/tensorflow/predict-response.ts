/**
 * Tensors as a predict response's JSON, byte for byte as TF Serving's pretty writer prints it: row form (`predictions`)
 * has each instance's arrays on one line, column form (`outputs`) has every value on a line of its own.
 */
import { float32Token, float64Token } from '../json/decimal.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { bytesOf, type Element, elementCount, type Tensor, type Tensors, textOf } from '../tensors/tensor.ts';

const INDENT = '    ';
const INDENT_2 = INDENT.repeat(2);
const INDENT_3 = INDENT.repeat(3);

/** Text whose JSON is itself between quotation marks: finding that out is quicker than JSON.stringify. */
const PLAIN_TEXT = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Prints one element of a tensor. */
type Token = (element: Element) => string;

function tokenOf(name: string, { datatype }: Tensor): Token {
  if (datatype === 'FP32' || datatype === 'FP16') return (element) => float32Token(element as number);
  if (datatype === 'FP64') return (element) => float64Token(element as number);
  if (datatype !== 'BYTES') return String;
  if (!name.endsWith('_bytes')) return (element) => quoted(textOf(element));
  return (element) => {
    const base64 = Buffer.from(bytesOf(element)).toString('base64');
    return `{\n${INDENT}"b64": "${base64}"\n}`;
  };
}

const quoted = (text: string): string => (PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text));

/** Row form. @throws {ServingError} INVALID_ARGUMENT when outputs have different batch sizes */
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
    const label = `${INDENT_3}${quoted(name)}: `;
    return { label, data: tensor.data, inner, size: elementCount(inner), token: tokenOf(name, tensor) };
  });
  // One output: the items share a line, and only the closing bracket starts a new one.
  const isOne = columns.length === 1;
  let list = '';
  for (let row = 0; row < rows; row++) {
    if (row > 0) list += isOne ? ', ' : ',';
    if (!isOne) list += `\n${INDENT_2}{\n`;
    for (let c = 0; c < columns.length; c++) {
      const { label, data, inner, size, token } = columns[c]!;
      if (c > 0) list += ',\n';
      if (!isOne) list += label;
      list += singleLine(data, inner, 0, row * size, token);
    }
    if (!isOne) list += `\n${INDENT_2}}`;
  }
  return `{\n${INDENT}"predictions": [${list}\n${INDENT}]\n}`;
}

function singleLine(data: ArrayLike<Element>, shape: readonly number[], dim: number, at: number, token: Token): string {
  if (dim === shape.length) return token(data[at]!);
  let line = '[';
  if (dim === shape.length - 1) {
    for (let i = 0; i < shape[dim]!; i++) line += i > 0 ? `, ${token(data[at + i]!)}` : token(data[at]!);
    return `${line}]`;
  }
  const stride = elementCount(shape.slice(dim + 1));
  for (let i = 0; i < shape[dim]!; i++) {
    if (i > 0) line += ', ';
    line += singleLine(data, shape, dim + 1, at + i * stride, token);
  }
  return `${line}]`;
}

/** Column form. */
export function printOutputs(outputs: Tensors): string {
  const columns = [...outputs].map(([name, tensor]) => [name, tensor] as const);
  if (columns.length === 1) {
    const [name, tensor] = columns[0]!;
    return `{\n${INDENT}"outputs": ${multiLine(tensor, 0, 0, 1, tokenOf(name, tensor))}\n}`;
  }
  const members = columns.map(
    ([name, tensor]) =>
      `${INDENT.repeat(2)}${JSON.stringify(name)}: ${multiLine(tensor, 0, 0, 2, tokenOf(name, tensor))}`,
  );
  return `{\n${INDENT}"outputs": {\n${members.join(',\n')}\n${INDENT}}\n}`;
}

function multiLine(tensor: Tensor, dim: number, at: number, depth: number, token: Token): string {
  const { shape, data } = tensor;
  if (dim === shape.length) return token(data[at]!).replaceAll('\n', `\n${INDENT.repeat(depth)}`);
  if (shape[dim] === 0) return '[]';
  const stride = elementCount(shape.slice(dim + 1));
  const items: string[] = [];
  for (let i = 0; i < shape[dim]!; i++) {
    items.push(INDENT.repeat(depth + 1) + multiLine(tensor, dim + 1, at + i * stride, depth + 1, token));
  }
  return `[\n${items.join(',\n')}\n${INDENT.repeat(depth)}]`;
}
