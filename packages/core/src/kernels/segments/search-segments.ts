/**
 * Searches an index whose leaves are in several memories (docs/decisions/segments.md). It runs the phases of a search
 * (assembly/scann-phases.ts) in the memories that have the leaves and copies the state of the query between them, so
 * that results and work are the same as in one memory. The segments hold consecutive leaves, in order.
 */
import { PAGE_BYTES } from '../../memory/linear-memory.ts';
import { readTogether, type WaitingQuery, waitingBytes, waitingQuery } from './batched-rows.ts';
import { searchListed } from './listed-rows.ts';
import { cutCandidates, LEAST, leastScore, mergeResults, type Run } from './merge.ts';
import { type RowLocation, RowReadFailure } from './row-file.ts';
import { type KernelMemory, Segment, STATE } from './segment.ts';
import { type RowViews, SegmentRows } from './segment-rows.ts';

/**
 * The description of a call, in int32 in the memory of the head. `failed` is 1 after rows could not be read at the offset
 * that follows.
 */
const CALL = {
  segments: 0,
  index: 1,
  call: 2,
  // A size in pages fits in an int32.
  pages: 3,
  ownerOf: 4,
  isListed: 5,
  failed: 6,
  failedAt: 7,
  first: 9,
} as const;
/** Positions in the description of a segment. Numbers of bytes take two positions. */
const SEGMENT = {
  memory: 0,
  index: 1,
  call: 2,
  pages: 3,
  /** The location of rows in a file (0: rows are in memory), and the views of the threads. */
  rows: 4,
  descriptor: 5,
  offset: 6,
  size: 8,
  cache: 10,
  views: 12,
  viewStride: 14,
  capacity: 16,
} as const;
const PER_SEGMENT = 17;
const TWO_32 = 2 ** 32;
/** Bytes of rows that are read together: neighbours are found among many, and the rows still fit into a cache of the processor. */
const READ_BYTES = 2 ** 22;

/** A memory with its records of the index and of the call. */
export interface SegmentAddress {
  memory: number;
  index: number;
  call: number;
  /** The size of the memory: a thread may not have noticed yet that it grew. */
  memoryBytes: number;
  /** The rows that stay in a file, and the views of the threads. */
  rows?: { location: RowLocation; views: RowViews } | undefined;
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
  to.set([segments.length, index, call, memoryBytes / PAGE_BYTES, ownerOf, Number(isListed), 0]);
  segments.forEach((segment, i) => {
    const pages = segment.memoryBytes / PAGE_BYTES;
    const at = CALL.first + PER_SEGMENT * i;
    to.set([segment.memory, segment.index, segment.call, pages, 0], at);
    if (segment.rows) writeRows(to, at, segment.rows);
  });
}

function writeRows(to: Int32Array, at: number, { location, views }: { location: RowLocation; views: RowViews }): void {
  to[at + SEGMENT.rows] = location.id;
  to[at + SEGMENT.descriptor] = location.descriptor;
  to[at + SEGMENT.capacity] = views.capacity;
  writeBytes(to, at + SEGMENT.offset, location.offset);
  writeBytes(to, at + SEGMENT.size, location.sizeBytes);
  writeBytes(to, at + SEGMENT.cache, location.cacheBytes);
  writeBytes(to, at + SEGMENT.views, views.address);
  writeBytes(to, at + SEGMENT.viewStride, views.stride);
}

/** The rows of segment `segment` of a call; undefined where they are in memory. */
function rowsOf(from: Int32Array, at: number, segment: Segment, { memory }: KernelMemory): SegmentRows | undefined {
  const id = from[at + SEGMENT.rows]!;
  if (id === 0) return undefined;
  const location: RowLocation = {
    id,
    descriptor: from[at + SEGMENT.descriptor]!,
    offset: readBytes(from, at + SEGMENT.offset),
    sizeBytes: readBytes(from, at + SEGMENT.size),
    cacheBytes: readBytes(from, at + SEGMENT.cache),
  };
  const views: RowViews = {
    address: readBytes(from, at + SEGMENT.views),
    stride: readBytes(from, at + SEGMENT.viewStride),
    capacity: from[at + SEGMENT.capacity]!,
  };
  return new SegmentRows(memory, location, views, segment.rowBytes, segment.slot);
}

/** Write a number of bytes, or an offset, as two int32: it may be larger than one holds. */
function writeBytes(to: Int32Array, at: number, bytes: number): void {
  to[at] = bytes % TWO_32;
  to[at + 1] = Math.floor(bytes / TWO_32);
}

/** A byte offset in a memory, of which an int32 holds those from 2 GiB on as negative numbers. */
function offsetAt(from: Int32Array, at: number): number {
  return from[at]! >>> 0;
}

function readBytes(from: Int32Array, at: number): number {
  return (from[at]! >>> 0) + from[at + 1]! * TWO_32;
}

/**
 * The offset at which the rows of a query of the call could not be read; undefined where all were read. The description
 * is ready for the next call afterwards.
 */
export function takeFailure(description: Int32Array): number | undefined {
  if (description[CALL.failed] === 0) return undefined;
  description[CALL.failed] = 0;
  return readBytes(description, CALL.failedAt);
}

/** A call as one thread sees it: the head and the segments with their views, which stay valid when a memory grows. */
export interface OpenedCall {
  head: Segment;
  segments: readonly Segment[];
  /** The rows of each segment that stay in a file. */
  rows: ReadonlyMap<Segment, SegmentRows>;
  /** Position of the description in the head's memory. */
  description: number;
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
  const head = new Segment(main, offsetAt(integers, at + CALL.index), offsetAt(integers, at + CALL.call), slot);
  const rows = new Map<Segment, SegmentRows>();
  const segments = Array.from({ length: integers[at + CALL.segments]! }, (_, i) => {
    const from = at + CALL.first + PER_SEGMENT * i;
    const own = memoryOf(integers[from + SEGMENT.memory]!);
    own.memory.reach(PAGE_BYTES * integers[from + SEGMENT.pages]!);
    const [index, call] = [SEGMENT.index, SEGMENT.call].map((field) => offsetAt(integers, from + field));
    const segment = new Segment(own, index!, call!, slot);
    const inFile = rowsOf(integers, from, segment, own);
    if (inFile) rows.set(segment, inFile);
    return segment;
  });
  const ownerOf = offsetAt(integers, at + CALL.ownerOf) / 4;
  return { head, segments, rows, description: at, ownerOf, isListed: integers[at + CALL.isListed] === 1 };
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
  const { segments, rows, isListed } = opened;
  const areRead = rows.size > 0 && !isListed && segments.every(({ isReorderedExactly }) => isReorderedExactly);
  if (areRead && end - begin > 1) searchTogether(opened, begin, end);
  else for (let item = begin; item < end; item++) searchItem(opened, item);
}

/** Search with query `item` of an opened call. Where rows cannot be read, it has no results, and the call has failed. */
export function searchItem(opened: OpenedCall, item: number): void {
  try {
    if (opened.isListed) searchList(opened, item);
    else searchOne(opened, item);
  } catch (error) {
    if (!(error instanceof RowReadFailure)) throw error;
    fail(opened, item, error);
  }
}

function fail({ head, description }: OpenedCall, item: number, { offset }: RowReadFailure): void {
  head.integers[head.countsOut + item] = 0;
  writeBytes(head.integers, description + CALL.failedAt, offset);
  head.integers[description + CALL.failed] = 1;
}

/** Search with queries [begin, end); the rows of some queries at a time are read from the file together. */
function searchTogether(opened: OpenedCall, begin: number, end: number): void {
  const { head } = opened;
  let waiting: WaitingQuery[] = [];
  let bytes = 0;
  for (let item = begin; item < end; item++) {
    const query = waitingQuery(item, candidatesOf(opened, item), head.integers[head.state + STATE.centroids]!);
    waiting.push(query);
    bytes += waitingBytes(query);
    if (bytes < READ_BYTES && item + 1 < end) continue;
    finishTogether(opened, waiting);
    waiting = [];
    bytes = 0;
  }
}

function finishTogether(opened: OpenedCall, waiting: readonly WaitingQuery[]): void {
  const { head, rows } = opened;
  const score = ({ kernels, slot, call, candidates }: Segment, { view }: SegmentRows, item: number): void =>
    kernels.reorderChosen(slot, item, view, call, candidates);
  const finish = ({ item, chosen, centroids }: WaitingQuery): void => {
    mergeResults(
      head,
      chosen.map(({ segment }) => segment),
      item,
    );
    if (head.countersOut > 0) head.integers[head.countersOut + 4 * item] = centroids;
  };
  try {
    readTogether(waiting, rows, score, finish);
  } catch (error) {
    if (!(error instanceof RowReadFailure)) throw error;
    for (const { item } of waiting) fail(opened, item, error);
  }
}

/** Score a list of slots for one query. */
function searchList({ head, segments, rows }: OpenedCall, item: number): void {
  for (const segment of segments) {
    const { kernels, slot, index, call } = segment;
    const inFile = rows.get(segment);
    if (inFile) searchListed(segment, inFile, item);
    else kernels.searchSlots(item, item + 1, slot, index, call);
  }
  mergeResults(head, segments, item);
}

/** Search leaves for one query. */
function searchOne(opened: OpenedCall, item: number): void {
  const { head, rows } = opened;
  const searched = candidatesOf(opened, item);
  for (const segment of searched) reorder(segment, rows.get(segment), item);
  mergeResults(head, searched, item);
  if (head.countersOut > 0) {
    head.integers[head.countersOut + 4 * item] = head.integers[head.state + STATE.centroids]!;
  }
}

/** Choose the candidates of a query; returns the segments that were searched. */
function candidatesOf({ head, segments, ownerOf }: OpenedCall, item: number): Segment[] {
  const { slot } = head;
  const leaves = head.kernels.planQuery(slot, item, head.index, head.call);
  const runs = route(head, segments, ownerOf, leaves);
  const searched = inOrder(runs);
  const { tableLength } = head;
  for (const segment of searched) segment.begin(head, tableLength);
  scan(runs, item, head.isPruned);
  choose(searched, item, head.reorder);
  if (searched.length > 1) cutCandidates(searched, runs, head.reorder);
  return searched;
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

/** Score the candidates of a segment again. */
function reorder(segment: Segment, rows: SegmentRows | undefined, item: number): void {
  const { kernels, slot, index, call, candidates } = segment;
  const isRead = rows !== undefined && segment.isReorderedExactly;
  if (isRead) rows.load(segment, candidates);
  kernels.reorderChosen(slot, item, isRead ? rows.view : index, call, candidates);
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
