/**
 * Searches an index whose leaves are in several memories (docs/decisions/segments.md). It runs the phases of a search
 * (assembly/scann-phases.ts) in the memories that have the leaves and copies the state of the query between them, so
 * that results and work are the same as in one memory. The segments hold consecutive leaves, in order.
 */
import { cutCandidates, LEAST, leastScore, mergeResults, type Run } from './merge.ts';
import { type KernelMemory, Segment, STATE } from './segment.ts';

/** The description of a call, in int32 in the memory of the head. */
const CALL = { segments: 0, index: 1, call: 2, pages: 3, ownerOf: 4, isListed: 5, first: 6 } as const;
/** Numbers that describe a segment: its memory in the team, its records of the index and of the call, and its pages. */
const PER_SEGMENT = 4;
/** Sizes of memories are multiples of this, so that they fit in an int32. */
const PAGE_BYTES = 65_536;

/** A memory with its records of the index and of the call. */
export interface SegmentAddress {
  memory: number;
  index: number;
  call: number;
  /** The size of the memory: a thread may not have noticed yet that it grew. */
  memoryBytes: number;
}

/** The type of `searchSegments`. */
export type SegmentedSearchKernel = typeof searchSegments;

/** The length, in int32 numbers, of the description of a call over `segments` segments. */
export function segmentedCallLength(segments: number): number {
  return CALL.first + PER_SEGMENT * segments;
}

/**
 * Write the description of a call.
 *
 * @param ownerOf byte offset in the head's memory: [leaves] int32, the segment of each leaf
 * @param isListed score lists of slots instead of searching leaves
 */
export function writeSegmentedCall(
  to: Int32Array,
  { index, call, memoryBytes }: Omit<SegmentAddress, 'memory'>,
  segments: readonly SegmentAddress[],
  ownerOf: number,
  isListed: boolean,
): void {
  to.set([segments.length, index, call, memoryBytes / PAGE_BYTES, ownerOf, Number(isListed)]);
  segments.forEach((segment, i) => {
    const pages = segment.memoryBytes / PAGE_BYTES;
    to.set([segment.memory, segment.index, segment.call, pages], CALL.first + PER_SEGMENT * i);
  });
}

/** A call as one thread sees it: the head and the segments with their views, which stay valid when a memory grows. */
export interface OpenedCall {
  head: Segment;
  segments: readonly Segment[];
  /** Position of the segment of each leaf in the head's memory. */
  ownerOf: number;
  isListed: boolean;
}

/** Open a call on a thread. The arguments are those of `searchSegments`. */
export function openCall(
  memoryOf: (memory: number) => KernelMemory,
  slot: number,
  headMemory: number,
  address: number,
): OpenedCall {
  const main = memoryOf(headMemory);
  main.memory.reach(address + 4 * CALL.first);
  const { integers: description } = main.memory;
  const at = address / 4;
  main.memory.reach(PAGE_BYTES * description[at + CALL.pages]!);
  const { integers } = main.memory;
  const head = new Segment(main, integers[at + CALL.index]!, integers[at + CALL.call]!, slot);
  const segments = Array.from({ length: integers[at + CALL.segments]! }, (_, i) => {
    const from = at + CALL.first + PER_SEGMENT * i;
    const own = memoryOf(integers[from]!);
    own.memory.reach(PAGE_BYTES * integers[from + 3]!);
    return new Segment(own, integers[from + 1]!, integers[from + 2]!, slot);
  });
  return { head, segments, ownerOf: integers[at + CALL.ownerOf]! / 4, isListed: integers[at + CALL.isListed] === 1 };
}

/**
 * Search with queries [begin, end) of a call. Items: queries.
 *
 * @param memoryOf the memories of the team; the head is in memory `headMemory`
 * @param address the description of the call
 */
export function searchSegments(
  memoryOf: (memory: number) => KernelMemory,
  begin: number,
  end: number,
  slot: number,
  headMemory: number,
  address: number,
): void {
  const opened = openCall(memoryOf, slot, headMemory, address);
  for (let item = begin; item < end; item++) searchItem(opened, item);
}

/** Search with query `item` of an opened call. */
export function searchItem({ head, segments, ownerOf, isListed }: OpenedCall, item: number): void {
  if (!isListed) {
    searchOne(head, segments, ownerOf, item);
    return;
  }
  for (const { kernels, slot, index, call } of segments) kernels.searchSlots(item, item + 1, slot, index, call);
  mergeResults(head, segments, item);
}

/** Search leaves for one query. */
function searchOne(head: Segment, segments: readonly Segment[], ownerOf: number, item: number): void {
  const { slot } = head;
  const leaves = head.kernels.planQuery(slot, item, head.index, head.call);
  const runs = route(head, segments, ownerOf, leaves);
  const searched = inOrder(runs);
  const { tableLength } = head;
  for (const segment of searched) segment.begin(head, tableLength);
  scan(runs, item, head.isPruned);
  choose(searched, item, head.reorder);
  if (searched.length > 1) cutCandidates(searched, runs, head.reorder);
  for (const { kernels, index, call, candidates } of searched)
    kernels.reorderChosen(slot, item, index, call, candidates);
  mergeResults(head, searched, item);
  if (head.countersOut > 0) {
    head.integers[head.countersOut + 4 * item] = head.integers[head.state + STATE.centroids]!;
  }
}

/** Give the chosen leaves to their segments; returns the runs of leaves that follow one another in one segment. */
function route(head: Segment, segments: readonly Segment[], ownerOf: number, leaves: number): Run[] {
  for (const segment of segments) segment.leaves = 0;
  const runs: Run[] = [];
  let last: Run | undefined;
  for (let i = 0; i < leaves; i++) {
    const low = head.integers[head.keys + 2 * i]!;
    const segment = segments[head.integers[ownerOf + ~low]!]!;
    if (last?.segment !== segment) {
      last = { segment, begin: segment.leaves, end: segment.leaves };
      runs.push(last);
    }
    const to = segment.keys + 2 * segment.leaves;
    segment.integers[to] = low;
    segment.integers[to + 1] = head.integers[head.keys + 2 * i + 1]!;
    last.end = ++segment.leaves;
  }
  return runs;
}

/** The segments of runs, each once, in the order of their first run: the best leaves are in the first ones. */
function inOrder(runs: readonly Run[]): Segment[] {
  const segments: Segment[] = [];
  for (const { segment } of runs) if (!segments.includes(segment)) segments.push(segment);
  return segments;
}

/**
 * Choose the candidates of each segment, at most `wanted`. A segment that has as many sets a floor for the next ones: a
 * candidate with a lower score than all of these is not one of the `wanted` best.
 */
function choose(segments: readonly Segment[], item: number, wanted: number): void {
  let floor = LEAST;
  for (const segment of segments) {
    const { kernels, slot, index, call } = segment;
    segment.candidates = kernels.chooseScanned(slot, item, index, call, floor);
    if (segment.candidates >= wanted && segments.length > 1) floor = Math.max(floor, leastScore(segment) - 1);
  }
}

/** Scan the leaves of runs. Afterwards `begin` and `end` of a run count the scanned groups in place of the leaves. */
function scan(runs: readonly Run[], item: number, isPruned: boolean): void {
  let before: Segment | undefined;
  for (const run of runs) {
    const { segment, begin, end } = run;
    if (before && isPruned) segment.goOnFrom(before);
    const { kernels, slot, index, call } = segment;
    run.begin = segment.scanned;
    kernels.scanChosen(slot, item, index, call, begin, end);
    run.end = segment.scanned;
    before = segment;
  }
}
