/** A program with a server of no model: it says that both its ports answer. */
import { ShortlistServer } from '@shortlist/server';
import { pino } from 'pino';

const logger = pino({ level: 'silent' });
ShortlistServer.start({ models: [], httpPort: 0, grpcPort: 0, logger }).then(async (server) => {
  console.log(server.httpPort > 0 && server.grpcPort > 0);
  await server.close();
});
