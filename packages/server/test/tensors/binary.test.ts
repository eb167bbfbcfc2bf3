/** Tensors as bytes (Triton's binary extension, raw_input_contents, tensor_content) and as TF's typed fields. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TensorProto, tensorOf, tensorProtoOf } from '../../src/grpc/tensor-proto.ts';
import { TF_DATATYPES } from '../../src/tensorflow/datatypes.ts';
import { decodeTensor, encodeTensor } from '../../src/tensors/binary.ts';
import type { Datatype, Element } from '../../src/tensors/tensor.ts';

/** Two elements of every type, their little-endian bytes, and TF's field for them. */
const CASES: readonly [Datatype, Element[], string, keyof TensorProto, unknown[]][] = [
  ['BOOL', [true, false], '0100', 'bool_val', [true, false]],
  ['UINT8', [7, 255], '07ff', 'int_val', [7, 255]],
  ['UINT16', [7, 65_535], '0700ffff', 'int_val', [7, 65_535]],
  ['UINT32', [7, 4_294_967_295], '07000000ffffffff', 'uint32_val', [7, 4_294_967_295]],
  ['UINT64', [7n, 2n ** 64n - 1n], '0700000000000000ffffffffffffffff', 'uint64_val', ['7', '18446744073709551615']],
  ['INT8', [7, -1], '07ff', 'int_val', [7, -1]],
  ['INT16', [7, -2], '0700feff', 'int_val', [7, -2]],
  ['INT32', [7, -2], '07000000feffffff', 'int_val', [7, -2]],
  ['INT64', [7n, -(2n ** 53n) - 1n], '0700000000000000ffffffffffffdfff', 'int64_val', ['7', '-9007199254740993']],
  ['FP16', [1, -0.5], '003c00b8', 'half_val', [0x3c00, 0xb800]],
  ['FP32', [1, -0.5], '0000803f000000bf', 'float_val', [1, -0.5]],
  ['FP64', [1, -0.5], '000000000000f03f000000000000e0bf', 'double_val', [1, -0.5]],
];

test('every type: bytes in, bytes out, and TF’s typed field', () => {
  for (const [datatype, elements, hex, field, values] of CASES) {
    const bytes = Buffer.from(hex, 'hex');
    const tensor = decodeTensor('x', datatype, [2], bytes);
    assert.deepEqual(Array.from(tensor.data), elements, datatype);
    assert.equal(Buffer.from(encodeTensor(tensor)).toString('hex'), hex, datatype);
    const head = { dtype: TF_DATATYPES[datatype].number, tensor_shape: { dim: [{ size: '2' }] } };
    assert.deepEqual(Array.from(tensorOf('x', { ...head, tensor_content: bytes }).data), elements, datatype);
    assert.deepEqual(Array.from(tensorOf('x', { ...head, [field]: values }).data), elements, datatype);
    // One value stands for all, and none for zeros.
    const broadcast = tensorOf('x', { ...head, [field]: values.slice(1) });
    assert.deepEqual(Array.from(broadcast.data), [elements[1], elements[1]], datatype);
    assert.equal(Number(tensorOf('x', head).data[1]), 0, datatype);
    assert.deepEqual(Array.from(tensorOf('x', tensorProtoOf(tensor)).data), elements, datatype);
  }
});

test('BYTES: a 32-bit length before each element; TF has a field for them', () => {
  const bytes = Buffer.from('02000000c3a900000000', 'hex');
  const tensor = decodeTensor('x', 'BYTES', [2], bytes);
  assert.deepEqual(
    Array.from(tensor.data, (element) => Buffer.from(element as Uint8Array).toString()),
    ['é', ''],
  );
  assert.deepEqual(Buffer.from(encodeTensor(tensor)), bytes);
  const proto = tensorProtoOf(tensor);
  assert.deepEqual([proto.dtype, proto.string_val!.length], [7, 2]);
  assert.throws(() => decodeTensor('x', 'BYTES', [2], bytes.subarray(0, 5)), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => decodeTensor('x', 'FP32', [2], Buffer.alloc(7)), { code: 'INVALID_ARGUMENT' });
});
