/** Reads a file of interactions, and prints rows, processor seconds and peak memory. It runs as a separate process. */
import { readInteractions } from '@shortlist/data';

const before = process.cpuUsage();
const { quality } = await readInteractions(process.argv[2]!);
const { user, system } = process.cpuUsage(before);
const { rows, users, items, broken } = quality;
// maxRSS is in kibibytes.
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ rows, users, items, broken, coreSeconds: (user + system) / 1e6, peakBytes }));
