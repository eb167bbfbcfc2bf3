/**
 * The format of a journal: a head, then one record per update. docs/format-journal.md describes it.
 *
 * Head (16 bytes): "SLJOURN1", u32 version, u32 CRC-32 of the 12 bytes before.
 * Record: u32 length of the body, u32 CRC-32 of the body, body; all little endian.
 * Body: u64 sequence, u8 kind (1 upsert, 2 delete, 3 seen), u8 identifier type (0 text, 1 number, 2 bigint), u16 place
 * in the request, u32 bytes of the identifier, u32 floats of the embedding, u32 bytes of the attributes; then those
 * three: UTF-8, float32, JSON. In kind 3 the identifier is that of the item, and the user's identifier, as UTF-8, takes
 * the place of the attributes. Place in the request: bit 0 is set if more records of the same request follow, bit 1 if
 * some came before. In version 1 it is 0: each record is a separate request.
 */
import { crc32 } from 'node:zlib';
import type { Identifier } from 'shortlist';
import type { AttributeValues } from '../attributes/values.ts';
import type { Update } from '../servable/contract.ts';

/** An update and its place in the order of all updates of a model. */
export interface JournalRecord {
  sequence: number;
  update: Update;
  /** Whether records of the same request follow (`continues`) and came before (`continued`). */
  continues?: boolean;
  continued?: boolean;
}

const MAGIC = 'SLJOURN1';
/**
 * The version that marks where requests begin and end. Journals of version 1, without these marks, are read; appended
 * records have the marks.
 */
const BORDERS_VERSION = 2;
/**
 * The version with records of seen items. A journal gets this version with its first such record; before that, older
 * servers can read it.
 */
export const SEEN_VERSION = 3;
/** Bytes of the head. */
export const HEAD_BYTES = 16;
/** Bytes of a record before its body. */
const FRAME_BYTES = 8;
const BODY_HEAD_BYTES = 24;
/** Kinds of updates in the order of their numbers, from 1. */
const KINDS: readonly Update['kind'][] = ['upsert', 'delete', 'seen'];
const CONTINUES = 1;
const CONTINUED = 2;
/** Most bytes of a record's body. A longer body is damage, because even the largest request body is smaller. */
const BODY_BYTES_MAX = 1 << 26;

/** The bytes of a journal's head. */
export function encodeHead(version: number = BORDERS_VERSION): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, 'latin1');
  head.writeUInt32LE(version, 8);
  head.writeUInt32LE(crc32(head.subarray(0, 12)), 12);
  return head;
}

/** The format version in a complete head. */
export function headVersion(head: Buffer): number {
  return head.readUInt32LE(8);
}

/**
 * The reason why a head cannot be read, and whether it is of a newer server instead of damaged; undefined if it can be
 * read.
 */
export function headProblem(bytes: Buffer): { problem: string; isNewer: boolean } | undefined {
  const damage = (problem: string): { problem: string; isNewer: boolean } => ({ problem, isNewer: false });
  if (bytes.length < HEAD_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return damage('this is not a journal');
  if (crc32(bytes.subarray(0, 12)) !== bytes.readUInt32LE(12)) return damage('the head is damaged');
  const version = headVersion(bytes);
  if (version >= 1 && version <= SEEN_VERSION) return undefined;
  return { problem: `expected a format version from 1 to ${SEEN_VERSION}, got ${version}`, isNewer: true };
}

/** The bytes of one request's records, whose sequence numbers start at `sequence`. */
export function encodeRequest(updates: readonly Update[], sequence: number): Buffer {
  const last = updates.length - 1;
  return Buffer.concat(
    updates.map((update, i) => encodeRecord({ sequence: sequence + i, update, continues: i < last, continued: i > 0 })),
  );
}

/** The bytes of one record: length, checksum and body. */
export function encodeRecord({ sequence, update, continues, continued }: JournalRecord): Buffer {
  const identifier = Buffer.from(String(update.identifier));
  const floats = update.kind === 'upsert' ? update.embedding : new Float32Array(0);
  const attributes = Buffer.from(textOf(update));
  const length = BODY_HEAD_BYTES + identifier.length + floats.length * 4 + attributes.length;
  const bytes = Buffer.alloc(FRAME_BYTES + length);
  const body = bytes.subarray(FRAME_BYTES);
  body.writeBigUInt64LE(BigInt(sequence), 0);
  body.writeUInt8(KINDS.indexOf(update.kind) + 1, 8);
  body.writeUInt8(['string', 'number', 'bigint'].indexOf(typeof update.identifier), 9);
  body.writeUInt16LE((continues ? CONTINUES : 0) | (continued ? CONTINUED : 0), 10);
  body.writeUInt32LE(identifier.length, 12);
  body.writeUInt32LE(floats.length, 16);
  body.writeUInt32LE(attributes.length, 20);
  let at = identifier.copy(body, BODY_HEAD_BYTES) + BODY_HEAD_BYTES;
  for (const value of floats) at = body.writeFloatLE(value, at);
  attributes.copy(body, at);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(crc32(body), 4);
  return bytes;
}

function textOf(update: Update): string {
  if (update.kind === 'seen') return update.user;
  return update.kind === 'upsert' && update.attributes ? JSON.stringify(update.attributes) : '';
}

const CUT_OFF = { problem: 'a record is cut off', isCutOff: true };

/** The record that begins at a byte and the position after it, or the reason why none begins there. */
export function decodeRecord(
  bytes: Buffer,
  at: number,
): { record: JournalRecord; end: number } | { problem: string; isCutOff?: boolean } {
  if (at + FRAME_BYTES > bytes.length) return CUT_OFF;
  const length = bytes.readUInt32LE(at);
  if (length < BODY_HEAD_BYTES || length > BODY_BYTES_MAX) return { problem: 'a record has an impossible length' };
  const end = at + FRAME_BYTES + length;
  if (end > bytes.length) return CUT_OFF;
  const body = bytes.subarray(at + FRAME_BYTES, end);
  if (!isConsistent(body)) return { problem: 'a record contradicts itself' };
  if (crc32(body) !== bytes.readUInt32LE(at + 4)) return { problem: 'a record has a wrong checksum' };
  return { record: decodeBody(body), end };
}

/** Whether the lengths in a body add up to its size: a quick check, which random bytes rarely pass. */
function isConsistent(body: Buffer): boolean {
  const [kind, type, place] = [body.readUInt8(8), body.readUInt8(9), body.readUInt16LE(10)];
  if (kind < 1 || kind > KINDS.length || type > 2 || place > (CONTINUES | CONTINUED)) return false;
  const parts = body.readUInt32LE(12) + 4 * body.readUInt32LE(16) + body.readUInt32LE(20);
  return BODY_HEAD_BYTES + parts === body.length;
}

function decodeBody(body: Buffer): JournalRecord {
  const sequence = Number(body.readBigUInt64LE(0));
  const place = body.readUInt16LE(10);
  const borders = {
    ...(place & CONTINUES && { continues: true }),
    ...(place & CONTINUED && { continued: true }),
  };
  const identifierEnd = BODY_HEAD_BYTES + body.readUInt32LE(12);
  const identifier = decodeIdentifier(body.readUInt8(9), body.toString('utf8', BODY_HEAD_BYTES, identifierEnd));
  const kind = KINDS[body.readUInt8(8) - 1]!;
  if (kind === 'delete') return { sequence, update: { kind, identifier }, ...borders };
  const embedding = new Float32Array(body.readUInt32LE(16));
  for (let i = 0; i < embedding.length; i++) embedding[i] = body.readFloatLE(identifierEnd + 4 * i);
  const text = body.toString('utf8', identifierEnd + 4 * embedding.length);
  if (kind === 'seen') return { sequence, update: { kind, user: text, identifier }, ...borders };
  const attributes = text === '' ? undefined : (JSON.parse(text) as AttributeValues);
  return { sequence, update: { kind: 'upsert', identifier, embedding, attributes }, ...borders };
}

function decodeIdentifier(type: number, text: string): Identifier {
  if (type === 1) return Number(text);
  return type === 2 ? BigInt(text) : text;
}
