/** The model that a request means, before the server has read its models and afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelRegistry } from '../../src/models/registry.ts';
import { modelOf } from '../../src/shortlist/operations.ts';

test('before the server has read its models a request is refused with a Retry-After, with and without a name', () => {
  for (const name of [undefined, 'films']) {
    assert.throws(() => modelOf(new ModelRegistry(), name), { code: 'UNAVAILABLE', httpStatus: 503, retryAfterS: 1 });
  }
});
