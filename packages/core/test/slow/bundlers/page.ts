/** The program of the page that browser.test.ts opens: it sends the result of the flow, or its error. */
import { flow } from './flow.ts';

const send = (result: object): Promise<Response> =>
  fetch('/result', { method: 'POST', body: JSON.stringify({ isIsolated: globalThis.crossOriginIsolated, ...result }) });

flow().then(
  (result) => send({ result }),
  (error: Error) => send({ error: `${error.stack ?? error}` }),
);
