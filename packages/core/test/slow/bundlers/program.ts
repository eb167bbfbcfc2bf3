/** The flow as a program for Node: prints what it gave. */
import { flow } from './flow.ts';

flow().then((result) => console.log(JSON.stringify(result)));
