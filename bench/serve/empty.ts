/** An empty Fastify JSON route. */
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

const app = fastify();
app.post('/empty', async () => ({ ok: true }));
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`Listening on port ${(app.server.address() as AddressInfo).port}`);
