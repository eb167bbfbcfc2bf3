// The commands of protocol.py for libraries in Node: the graph indexes hnswlib-node and usearch, and our own index on another
// version of Node. The first argument is the library. A point is {ef}, the length of the candidate list of a search, or
// {leavesToSearch, reorder}.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleToBytes, ScaNN } from 'shortlist';
import { quantile } from '../build/harness/interleave.js';
import { readFloats, readNpy, writeNpy } from '../build/harness/npy.js';

const require = createRequire(join(process.env.PEERS_HOME ?? '', 'node-ann/package.json'));
const scratch = mkdtempSync(join(tmpdir(), 'node-ann-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

// hnswlib-node has one thread and takes arrays of numbers, which are made before the measurement.
function hnswlib({ base, dimensions, metric }) {
  const { HierarchicalNSW } = require('hnswlib-node');
  const index = new HierarchicalNSW(metric === 'l2' ? 'l2' : 'ip', dimensions);
  return {
    query: (row) => Array.from(row),
    build({ links = 12, efConstruction = 100, seed = 100 }) {
      index.initIndex({ maxElements: base.length, m: links, efConstruction, randomSeed: seed });
      for (let i = 0; i < base.length; i++) index.addPoint(Array.from(base[i]), i);
    },
    search({ ef }, k) {
      index.setEf(ef);
      return (query) => index.searchKnn(query, k).neighbors;
    },
    save: (path) => index.writeIndexSync(path),
  };
}

// usearch sets the length of the candidate list when it makes an index; for another length the saved index is loaded again.
function usearch({ base, dimensions, metric }) {
  const { Index } = require('usearch');
  const path = join(scratch, 'usearch');
  let index;
  let options;
  let current;
  return {
    query: (row) => row,
    build({ links = 12, efConstruction = 100, threads = 1, quantization = 'f32' }) {
      // Its connectivity is that of the upper layers, as M in hnswlib.
      options = { dimensions, metric: metric === 'l2' ? 'l2sq' : 'ip', quantization, connectivity: links };
      options = { ...options, expansion_add: efConstruction, multi: false };
      index = new Index({ ...options, expansion_search: 64 });
      index.add(
        BigUint64Array.from(base, (_, i) => BigInt(i)),
        base,
        threads,
      );
      current = undefined;
    },
    search({ ef }, k) {
      if (ef !== current) {
        if (current === undefined) index.save(path);
        index = new Index({ ...options, expansion_search: ef });
        index.load(path);
        current = ef;
      }
      return (query) => index.search(query, k, 1).keys;
    },
    save: (file) => index.save(file),
  };
}

// Our own index, on another version of Node than the benchmark.
function shortlist({ base, dimensions, metric }) {
  let index;
  return {
    query: (row) => row,
    build(options) {
      const distanceMeasure = { dot: 'dot_product', l2: 'squared_l2', cosine: 'cosine' }[metric];
      index = new ScaNN({ distanceMeasure, ...options });
      const data = new Float32Array(base.length * dimensions);
      base.forEach((row, i) => {
        data.set(row, i * dimensions);
      });
      index.index({ data, dimensions });
    },
    search: (point, k) => (query) => index.call(query, { k, ...point }).rowsOf(),
    save: (path) => writeFileSync(path, bundleToBytes({ index })),
  };
}

const LIBRARIES = { 'hnswlib-node': hnswlib, usearch, 'shortlist-node24': shortlist };
const state = {};

function rowsOf(path, normalise) {
  const { data, shape } = readFloats(path);
  const rows = Array.from({ length: shape[0] }, (_, i) => data.subarray(i * shape[1], (i + 1) * shape[1]));
  for (const row of normalise ? rows : []) {
    const norm = Math.hypot(...row);
    for (let i = 0; i < row.length; i++) row[i] /= norm;
  }
  return rows;
}

function recallOf(found, { data, shape }, k) {
  let hits = 0;
  found.forEach((ids, q) => {
    const wanted = new Set(Array.from(data.subarray(q * shape[1], q * shape[1] + k), Number));
    for (const id of ids) if (wanted.has(Number(id))) hits++;
  });
  return hits / (found.length * k);
}

const commands = {
  load({ base, queries, truth, metric = 'dot' }) {
    state.base = rowsOf(base, metric === 'cosine');
    state.dimensions = state.base[0].length;
    state.metric = metric;
    state.library = LIBRARIES[process.argv[2]](state);
    state.queries = rowsOf(queries, metric === 'cosine').map(state.library.query);
    state.truth = truth === undefined ? undefined : readNpy(truth);
    const { version } = process;
    return { rows: state.base.length, dimensions: state.dimensions, queries: state.queries.length, version };
  },
  build(options) {
    const start = performance.now();
    state.library.build(options);
    return { seconds: (performance.now() - start) / 1e3 };
  },
  query({ k = 10, repeat = 1000, start: first = 0, ...point }) {
    const search = state.library.search(point, k);
    const times = new Float64Array(repeat);
    for (let i = -20; i < repeat; i++) {
      const query = state.queries[(i + 20 + first) % state.queries.length];
      const start = performance.now();
      search(query);
      if (i >= 0) times[i] = performance.now() - start;
    }
    const meanMs = times.reduce((sum, time) => sum + time, 0) / repeat;
    times.sort();
    return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), meanMs, calls: repeat };
  },
  batch({ k = 10, answers, ...point }) {
    const search = state.library.search(point, k);
    const start = performance.now();
    const found = state.queries.map((query) => search(query));
    const seconds = (performance.now() - start) / 1e3;
    const reply = { seconds, queries: found.length, perSecond: found.length / seconds };
    if (state.truth !== undefined) reply.recall = recallOf(found, state.truth, k);
    if (answers !== undefined) {
      const ids = new Int32Array(found.length * k).fill(-1);
      found.forEach((row, q) => {
        row.forEach((id, i) => {
          ids[q * k + i] = Number(id);
        });
      });
      writeNpy(answers, ids, [found.length, k]);
      reply.answers = answers;
    }
    return reply;
  },
  bytes() {
    const path = join(scratch, 'bytes');
    state.library.save(path);
    return { bytes: statSync(path).size };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...request } = JSON.parse(line);
  let reply;
  try {
    if (!Object.hasOwn(commands, name)) throw new Error(`do: expected a command, got ${name}`);
    reply = commands[name](request);
  } catch (error) {
    reply = { error: `${name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
