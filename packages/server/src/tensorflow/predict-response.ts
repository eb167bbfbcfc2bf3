/**
 * Tensors as a predict response's JSON, byte for byte as TF Serving's pretty writer prints it: row form (`predictions`)
 * has each instance's arrays on one line, column form (`outputs`) has every value on a line of its own.
 */
import { float32Token, float64Token } from '../json/decimal.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { bytesOf, type Element, elementCount, type Tensor, type Tensors, textOf } from '../tensors/tensor.ts';

const INDENT = '    ';

/** Prints one element of a tensor. */
type Token = (element: Element) => string;

function tokenOf(name: string, { datatype }: Tensor): Token {
  if (datatype === 'FP32' || datatype === 'FP16') return (element) => float32Token(element as number);
  if (datatype === 'FP64') return (element) => float64Token(element as number);
  if (datatype !== 'BYTES') return String;
  if (!name.endsWith('_bytes')) return (element) => JSON.stringify(textOf(element));
  return (element) => {
    const base64 = Buffer.from(bytesOf(element)).toString('base64');
    return `{\n${INDENT}"b64": "${base64}"\n}`;
  };
}

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
  const columns = [...outputs].map(([name, tensor]) => ({ name, tensor, token: tokenOf(name, tensor) }));
  const items: string[] = [];
  for (let row = 0; row < rows; row++) {
    const cells = columns.map(({ tensor, token }) => {
      const inner = tensor.shape.slice(1);
      return singleLine(tensor.data, inner, 0, row * elementCount(inner), token);
    });
    if (columns.length === 1) items.push(cells[0]!);
    else {
      const members = columns.map(({ name }, i) => `${INDENT.repeat(3)}${JSON.stringify(name)}: ${cells[i]}`);
      items.push(`\n${INDENT.repeat(2)}{\n${members.join(',\n')}\n${INDENT.repeat(2)}}`);
    }
  }
  // One output: the items share a line, and only the closing bracket starts a new one.
  const list = columns.length === 1 ? items.join(', ') : items.join(',');
  return `{\n${INDENT}"predictions": [${list}\n${INDENT}]\n}`;
}

function singleLine(data: ArrayLike<Element>, shape: readonly number[], dim: number, at: number, token: Token): string {
  if (dim === shape.length) return token(data[at]!);
  const stride = elementCount(shape.slice(dim + 1));
  const items: string[] = [];
  for (let i = 0; i < shape[dim]!; i++) items.push(singleLine(data, shape, dim + 1, at + i * stride, token));
  return `[${items.join(', ')}]`;
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
