/** shortlist index: the user's own vectors become a bundle with identifiers and attributes. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openVectors, type VectorFile } from '@shortlist/data';
import { ShortlistServer } from '@shortlist/server';
import { pino } from 'pino';
import { loadBundle } from 'shortlist/node';
import { Generator } from 'shortlist/random';
import { type Environment, Terminal } from '../src/terminal/terminal.ts';
import { streamedIndex, streamedLeaves } from '../src/vector-index/streamed-index.ts';
import { temporaryFolder } from './fixtures/files.ts';
import { type CommandOutput, runCommand } from './fixtures/run-command.ts';

const { folder, fileOf } = temporaryFolder();
const ROWS = 300;
const DIMENSIONS = 8;

const run = (...argv: string[]): Promise<CommandOutput> => runCommand('index', ...argv);

const generator = new Generator(1);
const numbers = Float32Array.from({ length: ROWS * DIMENSIONS }, () => generator.uniform() - 0.5);
const vectors = fileOf(
  'vectors.fbin',
  Buffer.concat([new Uint8Array(Uint32Array.of(ROWS, DIMENSIONS).buffer), new Uint8Array(numbers.buffer)]),
);
// Line 3 is empty and line 5 repeats line 4.
const words = Array.from({ length: ROWS }, (_, row) =>
  row === 2 ? '' : row === 4 ? '003' : String(row).padStart(3, '0'),
);
const ids = fileOf('ids.txt', `${words.join('\n')}\n`);
const meta = fileOf(
  'meta.csv',
  `id,title,genres,year,released\n000,Heat,Crime|Drama,1995,1995-12-15\n001,"Alien, the",Horror,1979,1979-05-25\n`,
);

test('a bundle ranks by cosine and returns identifiers, and a server returns the attributes', async () => {
  const out = join(folder, 'own.shortlist');
  const { code, stdout, stderr } = await run(vectors, '--ids', ids, '--items', meta, '--out', out, '--recall', '0.9');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /own\.shortlist: 298 candidates, cosine, recall@10 [01]\.\d{3} \(target 0\.9\)/);
  assert.match(stderr, /ids\.txt:3: vector left out: expected an identifier, got nothing\n/);
  assert.match(stderr, /ids\.txt:5: vector left out: expected a new identifier, got "003" of line 4 again\n/);
  assert.match(stderr, /genres: read as lists, separated by "\|"\n/);
  assert.match(stderr, /296 candidates have no row in .*, for example 003\n/);
  const { index } = await loadBundle<number[], string>(out);
  // A vector that is ten times as long has the same cosine.
  const query = [...numbers.subarray(0, DIMENSIONS)].map((number) => 10 * number);
  const result = index.call([query], 3);
  assert.equal(result.identifiers()[0], '000');
  assert.ok(Math.abs(result.scoresOf()[0]! - 1) < 1e-4);
  const server = await ShortlistServer.start({
    models: [{ name: 'own', path: out, policy: { latest: 1 } }],
    httpPort: 0,
    grpcPort: 0,
    logger: pino({ level: 'silent' }),
  });
  try {
    const answer = await fetch(`http://127.0.0.1:${server.httpPort}/v1/shortlist`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        embedding: query,
        k: 5,
        filter: { and: [{ equals: { genres: 'Drama' } }, { range: { released: { gt: '1990-01-01' } } }] },
      }),
    });
    const body = (await answer.json()) as { results: object[] };
    assert.equal(answer.status, 200, JSON.stringify(body));
    assert.deepEqual(
      body.results.map((hit) => ({ ...hit, score: 1 })),
      [{ id: '000', score: 1, title: 'Heat', genres: ['Crime', 'Drama'], year: 1995, released: '1995-12-15' }],
    );
  } finally {
    await server.close();
  }
});

test('columns named like inherited properties are ordinary attributes, also for candidates without a value', async () => {
  const names = ['__proto__', 'constructor', 'toString'];
  const rows = [{ id: '000', title: 'Heat' }, ...['001', '003'].map((id) => ({ id, title: `Film ${id}` }))];
  const cellsOf = (id: string): string[] => (id === '001' ? [] : names.map((name) => `${name} of ${id}`));
  const table = [
    ['id', 'title', ...names],
    ...rows.map(({ id, title }) => [id, title, ...(id === '001' ? names.map(() => '') : cellsOf(id))]),
  ];
  const objects = rows.map((row) =>
    Object.fromEntries([
      ...Object.entries(row),
      ...cellsOf(row.id).map((cell, i): [string, string] => [names[i]!, cell]),
    ]),
  );
  const files = [
    fileOf('inherited.csv', table.map((cells) => cells.join(',')).join('\n')),
    fileOf('inherited.jsonl', objects.map((object) => JSON.stringify(object)).join('\n')),
    fileOf('inherited.json', JSON.stringify(objects)),
  ];
  for (const file of files) {
    const out = join(folder, 'inherited.shortlist');
    const { code, stderr } = await run(vectors, '--ids', ids, '--items', file, '--out', out, '--force');
    assert.equal(code, 0, stderr);
    const { metadata } = await loadBundle<number[], string>(out);
    const columns = new Map(Object.entries(metadata.attributes as Record<string, (string | null)[]>));
    assert.deepEqual([...columns.keys()], ['title', ...names], file);
    for (const name of names) {
      assert.deepEqual(columns.get(name)!.slice(0, 3), [`${name} of 000`, null, `${name} of 003`], file);
    }
  }
});

test('--list-columns sets the columns of lists, and an unknown one is refused with the nearest name', async () => {
  const out = join(folder, 'lists.shortlist');
  const kindsOf = async (...argv: string[]): Promise<unknown> => {
    const { code, stderr } = await run(vectors, '--ids', ids, '--items', meta, '--out', out, '--force', ...argv);
    assert.equal(code, 0, stderr);
    return (await loadBundle(out)).metadata.attributeKinds;
  };
  const kinds = { title: 'text', genres: 'list', year: 'number', released: 'date' };
  assert.deepEqual(await kindsOf(), kinds);
  assert.deepEqual(await kindsOf('--list-columns', ''), { ...kinds, genres: 'text' });
  assert.deepEqual(await kindsOf('--list-columns', 'title,genres'), { ...kinds, title: 'list' });
  const { attributes } = (await loadBundle(out)).metadata as { attributes: { title: unknown[] } };
  assert.deepEqual(attributes.title.slice(0, 2), [['Heat'], ['Alien', 'the']]);
  const wrong = await run(vectors, '--ids', ids, '--items', meta, '--out', out, '--force', '--list-columns', 'genre');
  assert.match(wrong.stderr, /expected a column of .*meta\.csv, got "genre": did you mean "genres"\?/);
});

test('an existing output is kept without --force; a missing folder is an error before any work', async () => {
  const out = fileOf('kept.shortlist', 'mine');
  const { code, stderr } = await run(vectors, '--out', out);
  assert.deepEqual([code, readFileSync(out, 'utf8')], [1, 'mine']);
  assert.match(stderr, /kept\.shortlist: exists already; --force replaces it \(ERR_IO\)/);
  assert.equal((await run(vectors, '--out', out, '--force')).code, 0);
  assert.notEqual(readFileSync(out, 'latin1').slice(0, 4), 'mine');
  assert.match(
    (await run(vectors, '--out', join(folder, 'no/x'))).stderr,
    /expected that the folder .*no exists, but it does not/,
  );
});

test('an index that does not fit into memory is refused before a vector is read', async () => {
  const [rows, dimensions] = [20_000_000, 100];
  // The file is sparse: it has a size but no data, so that reading its first number would be an error.
  const path = fileOf('huge.fbin', Buffer.from(new Uint32Array([rows, dimensions, 0x7fc0_0000]).buffer));
  truncateSync(path, 8 + 4 * rows * dimensions);
  const out = join(folder, 'huge.shortlist');
  const { code, stderr } = await run(path, '--out', out);
  assert.equal(code, 1);
  assert.match(stderr, /20,000,000 vectors of 100 dimensions/);
  assert.match(
    stderr,
    /expected an index that fits the linear memory of \d+ bytes, got a need of \d+ bytes for 20000000 rows/,
  );
  assert.match(stderr, /what would fit: \d+ rows, or \d+ dimensions per row.*\(ERR_MEMORY\)/);
  assert.doesNotMatch(stderr, /NaN/);
  assert.equal(existsSync(out), false);
});

test('errors are one line, and nothing is written', async () => {
  const out = join(folder, 'none.shortlist');
  assert.match((await run(ids, '--out', out)).stderr, /ids\.txt: expected vectors/);
  assert.match(
    (await run(vectors, '--ids', meta, '--out', out)).stderr,
    /expected 300 identifiers, as many as vectors, got 3/,
  );
  assert.match(
    (await run(vectors, '--ids', ids, '--strict', '--out', out)).stderr,
    /ids\.txt:3: expected an identifier/,
  );
  assert.match(
    (await run(vectors, '--ids', ids, '--items', ids, '--out', out, '--id-column', 'x')).stderr,
    /ERR_OPTION/,
  );
  assert.equal((await run(vectors, '--out', out, '--measure', 'cosin')).code, 2);
  assert.equal((await run(vectors, '--out', out, '--recall', '2')).code, 2);
  assert.equal((await run(vectors)).code, 2);
  assert.equal(existsSync(out), false);
});

test('--memory-bytes builds from the file without holding its vectors, with the same candidates', async () => {
  const [out, whole] = [join(folder, 'streamed.shortlist'), join(folder, 'whole.shortlist')];
  const tooLittle = await run(vectors, '--out', out, '--memory-bytes', '1000');
  assert.equal(tooLittle.code, 1);
  assert.match(
    tooLittle.stderr,
    /--memory-bytes: expected at least \d+ bytes for a training sample of \d+ rows × 8 dimensions, got 1000/,
  );
  const leftOf = (path: string): string[] => readdirSync(folder).filter((name) => join(folder, name).startsWith(path));
  assert.deepEqual(leftOf(out), []);
  for (const [path, ...more] of [[out, '--memory-bytes', '100000000'], [whole]] as const) {
    const { code, stdout, stderr } = await run(vectors, '--ids', ids, '--items', meta, '--out', path!, ...more);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /shortlist: 298 candidates, cosine, recall@10 [01]\.\d{3} \(target 0\.95\)/);
  }
  assert.deepEqual(leftOf(out), ['streamed.shortlist']);
  const query = [[...numbers.subarray(0, DIMENSIONS)]];
  const [streamed, held] = await Promise.all([out, whole].map((path) => loadBundle<number[], string>(path)));
  assert.deepEqual(streamed!.index.call(query, 5).hits(), held!.index.call(query, 5).hits());
  assert.deepEqual(streamed!.metadata.items, held!.metadata.items);
});

test('vectors of zeros are counted where they are compared by cosine', async () => {
  const withZeros = numbers.slice().fill(0, 5 * DIMENSIONS, 7 * DIMENSIONS);
  const head = new Uint8Array(Uint32Array.of(ROWS, DIMENSIONS).buffer);
  const path = fileOf('zeros.fbin', Buffer.concat([head, new Uint8Array(withZeros.buffer)]));
  const said = '2 of 300 vectors are zeros alone: by cosine they have no direction, and score 0\n';
  for (const [more, isSaid] of [
    [[], true],
    [['--memory-bytes', '100000000'], true],
    [['--measure', 'dot_product'], false],
  ] as const) {
    const { code, stderr } = await run(path, '--out', join(folder, 'zeros.shortlist'), '--force', ...more);
    assert.equal(code, 0, stderr);
    assert.equal(stderr.includes(said), isSaid, stderr);
  }
});

test('a build in memory names what an unfinished build with --memory-bytes left, and keeps it', async () => {
  const out = join(folder, 'unfinished.shortlist');
  const left = fileOf('unfinished.shortlist.untuned.partial', 'some bytes');
  const { code, stderr } = await run(vectors, '--out', out);
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /unfinished\.shortlist\.untuned\.partial: left by a build with --memory-bytes that did not finish; remove/,
  );
  assert.ok(existsSync(left));
});

test('--memory-bytes: a NaN is named, and nothing is left', async () => {
  const broken = numbers.slice();
  broken[(ROWS - 1) * DIMENSIONS + 3] = Number.NaN;
  const header = new Uint8Array(Uint32Array.of(ROWS, DIMENSIONS).buffer);
  const path = fileOf('broken.fbin', Buffer.concat([header, new Uint8Array(broken.buffer)]));
  const out = join(folder, 'nan.shortlist');
  const { code, stderr } = await run(path, '--out', out, '--memory-bytes', '100000000');
  assert.equal(code, 1);
  assert.match(stderr, /broken\.fbin: expected finite numbers, got NaN or an infinity in row 299/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('nan')),
    [],
  );
});

test('a file that changes after it was indexed, while the exact results are computed, is refused', async () => {
  const path = fileOf('changing.fbin', readFileSync(vectors));
  const file = await openVectors(path);
  let passes = 0;
  const changing: VectorFile = {
    ...file,
    batches(request) {
      if (++passes === 2) utimesSync(path, new Date(0), new Date(0));
      return file.batches(request);
    },
  };
  const output = { write: () => true };
  const environment: Environment = {
    ...{ stdout: output, stderr: output, variables: {}, now: () => performance.now() },
    signal: new AbortController().signal,
  };
  const untuned = join(folder, 'changing.shortlist.untuned');
  const input = { file: changing, sources: [path], identifiers: undefined, memoryBytes: 1e8, untuned };
  const settings = { distanceMeasure: 'cosine', targetRecall: 0.9, k: 10, seed: 1 } as const;
  const build = (): Promise<{ recall: number }> =>
    streamedIndex(input, settings, environment, new Terminal(environment));
  await assert.rejects(build(), {
    code: 'ERR_STATE',
    message: /changing\.fbin: expected a file that stays as it is during the build, got one that changed$/,
  });
  // The bundle that was built of the file as it was is not taken for one of the file as it is.
  passes = 2;
  assert.equal((await build()).recall, 1);
  assert.equal(passes, 4);
});

test('the candidates of a bundle are a source, with their identifiers, also of a build that reads them twice', async () => {
  const first = join(folder, 'first.shortlist');
  assert.equal((await run(vectors, '--ids', ids, '--out', first)).code, 0);
  for (const more of [[], ['--memory-bytes', String(2 ** 26)]]) {
    const again = join(folder, `again-${more.length}.shortlist`);
    const { code, stderr } = await run(first, '--out', again, '--measure', 'dot_product', ...more);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /first\.shortlist: bundle \(float32\), 298 vectors of 8 dimensions\n/);
    const { index } = await loadBundle<number[], string>(again);
    assert.equal(index.call([[...numbers.subarray(0, DIMENSIONS)]], 1).identifiers()[0], '000');
  }
  const { code, stderr } = await run(first, '--vector-column', 'x', '--out', join(folder, 'none.shortlist'));
  assert.deepEqual([code, /expected a Parquet file with the column x/.test(stderr)], [1, true], stderr);
});

test('a streamed build has a leaf for 500 vectors, if their training fits into the bound on memory', () => {
  const GIB = 2 ** 30;
  assert.equal(streamedLeaves(1_000_000, 32, 4 * GIB, 1_500), 2_000);
  assert.equal(streamedLeaves(10_000, 32, 4 * GIB, 150), 150);
  // 50 rows of 3,072 bytes a leaf, four times, in 1 GiB.
  assert.equal(streamedLeaves(10_000_000, 768, GIB, 1_000), 1_747);
  assert.equal(streamedLeaves(10_000_000, 768, GIB, 4_743), 4_743);
});
