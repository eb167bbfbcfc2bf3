/** The flow as a program for Node: prints its result. */
import { flow } from './flow.ts';

flow().then((result) => console.log(JSON.stringify(result)));
