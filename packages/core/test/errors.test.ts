/** The catalogue of errors, its classes and docs/errors.md agree. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ERROR_CATALOGUE, type ErrorCode } from '../src/errors/catalogue.ts';
import * as errors from '../src/errors/errors.ts';

const PAGE = readFileSync(fileURLToPath(new URL('../../../../docs/errors.md', import.meta.url)), 'utf8');
/** Code, class, meaning and the rest of each section. */
const SECTIONS = [...PAGE.matchAll(/^## (ERR_\w+) · (\w+)\n\n(.+)\n\n((?:.|\n(?!## ))*)/gm)];

const MADE: readonly errors.ShortlistError[] = Object.entries(errors)
  .filter(([name]) => name !== 'ShortlistError')
  .map(([name, Class]) =>
    name === 'FormatError' ? new errors.FormatError('header', 8, 'x') : new (Class as typeof errors.OptionError)('x'),
  );

test('docs/errors.md has every code with its meaning, in the order of the catalogue', () => {
  assert.deepEqual(
    SECTIONS.map(([, code, , meaning]) => [code, meaning]),
    Object.entries(ERROR_CATALOGUE),
  );
});

test('each section names the cause and what to do', () => {
  for (const [, code, , , rest] of SECTIONS) {
    assert.match(rest!, /^- \*\*Cause:\*\* /m, code);
    assert.match(rest!, /^- \*\*Do:\*\* /m, code);
  }
});

test('each code has one class, which the page names', () => {
  const classes = new Map(MADE.map((error) => [error.code, error.name]));
  assert.equal(classes.size, MADE.length);
  assert.deepEqual(
    SECTIONS.map(([, code, name]) => [code, name]),
    (Object.keys(ERROR_CATALOGUE) as ErrorCode[]).map((code) => [code, classes.get(code)]),
  );
});

test('a format error tells section and byte apart from its words', () => {
  const error = new errors.FormatError('index/candidates', 640, 'expected 8 bytes, got 7');
  assert.equal(error.message, 'index/candidates at byte 640: expected 8 bytes, got 7');
  assert.deepEqual([error.section, error.offset, error.code], ['index/candidates', 640, 'ERR_FORMAT']);
});
