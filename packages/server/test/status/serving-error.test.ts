import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError, OptionError, ShortlistError } from 'shortlist';
import { loadErrorCode, ServingError, STATUS_CODES, type StatusCode } from '../../src/status/serving-error.ts';

test('codes have gRPC’s numbers and TF Serving’s HTTP statuses', () => {
  const expected: Record<StatusCode, [number, number]> = {
    CANCELLED: [1, 499],
    UNKNOWN: [2, 500],
    INVALID_ARGUMENT: [3, 400],
    DEADLINE_EXCEEDED: [4, 504],
    NOT_FOUND: [5, 404],
    ALREADY_EXISTS: [6, 409],
    PERMISSION_DENIED: [7, 403],
    RESOURCE_EXHAUSTED: [8, 429],
    FAILED_PRECONDITION: [9, 400],
    ABORTED: [10, 409],
    OUT_OF_RANGE: [11, 400],
    UNIMPLEMENTED: [12, 501],
    INTERNAL: [13, 500],
    UNAVAILABLE: [14, 503],
    DATA_LOSS: [15, 500],
    UNAUTHENTICATED: [16, 401],
  };
  for (const code of Object.keys(STATUS_CODES) as StatusCode[]) {
    const { grpcStatus, httpStatus } = new ServingError(code, '');
    assert.deepEqual([grpcStatus, httpStatus], expected[code], code);
  }
});

test('a version that does not load: damaged bytes, whole bytes that cannot be served, a lock, a fault of ours', () => {
  const CASES: readonly [unknown, StatusCode][] = [
    [new ShortlistError('ERR_FORMAT', 'x: expected checksum 1, got 2'), 'DATA_LOSS'],
    [new DataError('x: expected one bundle, got 0'), 'FAILED_PRECONDITION'],
    [new OptionError('k: expected a number'), 'INVALID_ARGUMENT'],
    [new ServingError('UNAVAILABLE', 'another server takes its updates'), 'UNAVAILABLE'],
    [Object.assign(new Error('full'), { code: 'ENOSPC' }), 'UNAVAILABLE'],
    [new TypeError('x is not a function'), 'INTERNAL'],
  ];
  for (const [error, code] of CASES) assert.equal(loadErrorCode(error), code, String(error));
});

test('a message is short well-formed text, of which the start and the end remain', () => {
  const { message } = new ServingError('INVALID_ARGUMENT', `id: expected 1, got ${'€'.repeat(1e6)}, known: 'a'`);
  assert.match(message, /^id: expected 1, got €+…€+, known: 'a'$/);
  assert.equal(message.length, 800);
  // The cuts may fall between the two halves of a character.
  const cut = new ServingError('NOT_FOUND', `x${'😀'.repeat(1000)}y\ud800`);
  for (const text of [cut.message, new ServingError('NOT_FOUND', `${'😀'.repeat(1000)}y`).message]) {
    assert.doesNotMatch(text, /\p{Surrogate}/u);
    assert.ok(encodeURI(text).length < 8192);
  }
});
