/**
 * Clients that others wrote, in Python. SHORTLIST_PYTHON names one that has tritonclient, grpcio-health-checking and
 * grpcio-reflection; SHORTLIST_PYTHON_TFS one that has TF Serving's public stubs (min-tfs-client: they were generated for
 * protobuf 3, which tritonclient no longer takes). .ci/run makes both.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const SCRIPT = fileURLToPath(new URL('../../../test/clients/clients.py', import.meta.url));

function clientTest(title: string, variable: string, names: readonly string[]): void {
  const python = process.env[variable];
  test(title, { skip: python ? false : `${variable} is not set` }, async () => {
    const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
    try {
      const ports = [String(server.httpPort), String(server.grpcPort)];
      const { stdout } = await promisify(execFile)(python!, [SCRIPT, ...ports, ...names]);
      assert.equal(stdout, names.map((name) => `ok ${name}\n`).join(''));
    } finally {
      await server.close();
    }
  });
}

clientTest('tritonclient over HTTP and gRPC, gRPC health and reflection', 'SHORTLIST_PYTHON', [
  'triton_http',
  'triton_http_plain',
  'health_and_reflection',
  'triton_grpc_stream',
  'triton_grpc',
]);
clientTest('TF Serving’s public stubs', 'SHORTLIST_PYTHON_TFS', ['tensorflow_serving']);
