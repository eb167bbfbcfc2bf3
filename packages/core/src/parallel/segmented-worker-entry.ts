/** The entry point of a worker thread of a program that has an index in segments: it can also search segments. */
import { searchSegments } from '../kernels/segments/search-segments.ts';
import { LinearMemory } from '../memory/linear-memory.ts';
import { serveStart } from './worker-start.ts';

serveStart({ search: searchSegments, viewsOf: (memory) => new LinearMemory(memory) });
