/** Reads interactions, and prints their number and the bytes of their arrays after a garbage collection. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readInteractions } from '../../src/interactions/read-interactions.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const read = await readInteractions(process.argv[2]!);
// A collection leaves arrays to another thread, and the next one waits until that thread has given them back.
collect();
collect();
console.log(JSON.stringify({ rows: read.table.length, buffers: process.memoryUsage().arrayBuffers }));
