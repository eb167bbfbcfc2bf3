/** The golden files of this folder: numbers measured on the original libraries; each file names its source. */
import { readFileSync } from 'node:fs';

/** Read `<name>.json`; the files are not compiled and stand beside this file's source. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../test/golden/${name}.json`, import.meta.url), 'utf8')) as T;
}
