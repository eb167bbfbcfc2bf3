/** The .proto files, loaded for grpc-js. The files are part of this package and contain only what is served. */
import { join } from 'node:path';
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { PACKAGE_FOLDER } from '../status/package-folder.ts';

/** All messages and services. 64-bit integers are strings, enums numbers, absent fields have their defaults. */
export const DEFINITIONS: PackageDefinition = loadSync(
  ['tensorflow_serving.proto', 'inference.proto', 'shortlist.proto', healthProto],
  { includeDirs: [join(PACKAGE_FOLDER, 'protos')], keepCase: true, longs: String, defaults: true, oneofs: true },
);

const PACKAGES = loadPackageDefinition(DEFINITIONS);

/** A service by its full name. */
export function serviceOf(name: string): ServiceDefinition {
  let node: unknown = PACKAGES;
  for (const part of name.split('.')) node = (node as Record<string, unknown>)[part];
  return (node as { service: ServiceDefinition }).service;
}

/** Bytes of a message of a type, as an Any carries them. */
export function encodeMessage(type: string, message: object): Buffer {
  return (DEFINITIONS[type] as MessageTypeDefinition<object, object>).serialize(message);
}
