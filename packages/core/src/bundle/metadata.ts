/** The check of a bundle's metadata before it is written as JSON, whose writer would fail without saying where. */
import { OptionError } from '../errors/errors.ts';

/** The deepest nesting of objects and lists: far deeper than data are, far less deep than JSON.stringify can write. */
const DEPTH_MAX = 1_000;

/** @throws {OptionError} when values are nested too deeply, as those that contain themselves are */
export function checkMetadata(metadata: object): void {
  const open: { value: object; depth: number }[] = [{ value: metadata, depth: 1 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next;
    if (depth > DEPTH_MAX) throw new OptionError(`metadata: expected at most ${DEPTH_MAX} levels, got more`);
    for (const item of Array.isArray(value) ? value : Object.values(value)) {
      if (typeof item === 'object' && item !== null) open.push({ value: item, depth: depth + 1 });
      else if (typeof item === 'bigint') throw new OptionError(`metadata: expected values of JSON, got ${item}n`);
    }
  }
}
