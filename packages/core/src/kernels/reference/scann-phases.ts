/**
 * Readable forms of the phases of a ScaNN search (packages/core/assembly/scann-phases.ts). Between two phases the query's
 * state is in the scratch memory of its thread, in the layout of the compiled kernels.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { SCANN_STATE, type ScannKernels } from '../families/scann.ts';
import { type RecordAddress, type RecordValues, readRecord, writeRecord } from '../record.ts';
import { finiteScore } from './finite-score.ts';
import { exactScore } from './reorder.ts';
import { allowedBits, GROUP, isPruned, norm, readCall, type ScannSearchCall, type Scored } from './scann-call.ts';
import { chooseLeaves, transformQuery } from './scann-leaves.ts';
import { writeResults, writeWork } from './scann-results.ts';
import { chooseCandidates, MASKED, scanLeaves } from './scann-scan.ts';
import { lookupTables } from './scann-tables.ts';

const { fround } = Math;

type State = RecordValues<typeof SCANN_STATE>;
type Phases = Pick<ScannKernels, 'planQuery' | 'scanChosen' | 'chooseScanned' | 'reorderChosen'>;

/** The kernels of the phases over `memory`. */
export function scannPhasesReference(memory: LinearMemory): Phases {
  return {
    planQuery: (slot, item, index, call) => plan(readCall(memory, index, call), slot, item),
    scanChosen: (slot, item, index, call, begin, end) => scan(readCall(memory, index, call), slot, item, begin, end),
    chooseScanned: (slot, _item, index, call, floor) => choose(readCall(memory, index, call), slot, floor),
    reorderChosen: (slot, item, index, call, found) => reorder(readCall(memory, index, call), slot, item, found),
  };
}

/** The byte offset of an area of a thread. */
function areaOf({ call }: ScannSearchCall, slot: number, area: number): number {
  return call.scratch + slot * call.scratchStride + area;
}

function readState(search: ScannSearchCall, slot: number): State {
  const at = areaOf(search, slot, search.call.areaState) as RecordAddress<typeof SCANN_STATE>;
  return readRecord(search.memory, SCANN_STATE, at);
}

function writeState(search: ScannSearchCall, slot: number, state: State): void {
  writeRecord(search.memory, SCANN_STATE, areaOf(search, slot, search.call.areaState), state);
}

/** A score and a number as the two int32 words of a key (assembly/keys.ts). */
function writeKey({ integers }: LinearMemory, at: number, { score, row }: Scored): void {
  const [bits] = new Int32Array(Float32Array.of(score + 0).buffer);
  integers[at / 4] = ~row;
  integers[at / 4 + 1] = bits! ^ ((bits! >> 31) | (1 << 31));
}

function readKey({ integers }: LinearMemory, at: number): Scored {
  const ordered = integers[at / 4 + 1]!;
  const bits = Int32Array.of(ordered ^ (~(ordered >> 31) | (1 << 31)));
  return { score: new Float32Array(bits.buffer)[0]!, row: ~integers[at / 4]! };
}

function plan(search: ScannSearchCall, slot: number, item: number): number {
  const { index, call, memory } = search;
  const query = transformQuery(search, call.queries + 4 * item * index.stride);
  const { leaves, centroids } = chooseLeaves(search, query);
  const { entries, ...scales } = lookupTables(search, query, leaves);
  const keys = areaOf(search, slot, call.areaKeys);
  leaves.forEach((leaf, i) => {
    writeKey(memory, keys + 8 * i, leaf);
  });
  memory.bytes.set(entries, areaOf(search, slot, call.areaTables));
  const queryNorm = isPruned(search) ? norm(query) : 0;
  const begun = { theta: MASKED, bestCount: 0, scanned: 0 };
  writeState(search, slot, { centroids, leaves: leaves.length, ...scales, queryNorm, ...begun });
  return leaves.length;
}

function scan(search: ScannSearchCall, slot: number, item: number, begin: number, end: number): void {
  const { index, call, memory, integer } = search;
  const state = readState(search, slot);
  const at = (area: number): number => areaOf(search, slot, area);
  const leaves = Array.from({ length: end - begin }, (_, i) => readKey(memory, at(call.areaKeys) + 8 * (begin + i)));
  const tables = at(call.areaTables);
  const entries = memory.bytes.slice(tables, tables + 16 * (index.productBlocks + index.correctionBlocks));
  const best = Array.from({ length: state.bestCount }, (_, i) => integer(at(call.areaBest), 2 * i) + MASKED);
  const from = { theta: state.theta, best };
  const scanned = scanLeaves(search, state.queryNorm, leaves, { ...state, entries }, allowedBits(search, item), from);
  const { integers } = memory;
  const scores = new Int16Array(memory.memory.buffer);
  for (let g = 0; g < scanned.groups; g++) {
    const to = state.scanned + g;
    integers[at(call.areaGroupIds) / 4 + to] = scanned.points[GROUP * g]!.row >> 5;
    for (let p = 0; p < GROUP; p++) {
      scores[at(call.areaGroupScores) / 2 + GROUP * to + p] = scanned.points[GROUP * g + p]!.score;
    }
  }
  scanned.best.forEach((score, i) => {
    integers[at(call.areaBest) / 4 + 2 * i] = score - MASKED;
    integers[at(call.areaBest) / 4 + 2 * i + 1] = 0;
  });
  const { theta, groups } = scanned;
  writeState(search, slot, { ...state, theta, bestCount: scanned.best.length, scanned: state.scanned + groups });
}

function choose(search: ScannSearchCall, slot: number, floor: number): number {
  const { call, memory, integer } = search;
  const at = (area: number): number => areaOf(search, slot, area);
  const scores = new Int16Array(memory.memory.buffer);
  const points: Scored[] = [];
  for (let g = 0; g < readState(search, slot).scanned; g++) {
    for (let p = 0; p < GROUP; p++) {
      const row = GROUP * integer(at(call.areaGroupIds), g) + p;
      points.push({ row, score: scores[at(call.areaGroupScores) / 2 + GROUP * g + p]! });
    }
  }
  const above = points.filter(({ score }) => score > floor);
  const chosen = chooseCandidates(above, call.reorder);
  chosen.forEach(({ row, score }, i) => {
    memory.integers[at(call.areaSlots) / 4 + i] = row;
    memory.integers[at(call.areaSlotScores) / 4 + i] = score;
  });
  return chosen.length;
}

function reorder(search: ScannSearchCall, slot: number, item: number, found: number): void {
  const { index, call, integer } = search;
  const { centroids, leaves, top, least, scale, scanned } = readState(search, slot);
  const at = (area: number): number => areaOf(search, slot, area);
  const unscale = scale > 0 ? fround(1 / scale) : 0;
  const offset = fround(top + least);
  const query = call.queries + 4 * item * index.stride;
  const keys = Array.from({ length: found }, (_, i) => {
    const row = integer(at(call.areaSlots), i);
    const approximate = fround(offset + fround(integer(at(call.areaSlotScores), i) * unscale));
    return { row, score: finiteScore(call.reorderExactly ? exactScore(search, query, row) : approximate) };
  });
  writeResults(search, item, keys);
  writeWork(search, item, [centroids, leaves, scanned * GROUP, found]);
}
