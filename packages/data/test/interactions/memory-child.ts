/** Reads interactions and prints how many, and the bytes of the arrays that hold them once what was read is collected. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readInteractions } from '../../src/interactions/read-interactions.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const read = await readInteractions(process.argv[2]!);
collect();
console.log(JSON.stringify({ rows: read.table.length, buffers: process.memoryUsage().arrayBuffers }));
