/**
 * gRPC reflection. The descriptors are made when the first client asks for them: most clients never do, and making them
 * takes a quarter of a second of CPU, which a server that starts does not have to spend. Limit: the first reflection
 * request of a process holds up other requests for that time.
 */
import type {
  handleBidiStreamingCall,
  Server,
  ServerDuplexStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { DEFINITIONS } from './definitions.ts';
import { reflectedDefinitions } from './descriptors.ts';

/** A version of the reflection protocol: its service and the implementation. */
type ReflectionVersion = readonly [ServiceDefinition, UntypedServiceImplementation];

/** The versions of the reflection protocol, over the definitions. */
function versionsOver(definitions: PackageDefinition): ReflectionVersion[] {
  const versions: ReflectionVersion[] = [];
  new ReflectionService(definitions).addToServer({
    addService: (service: ServiceDefinition, implementation: UntypedServiceImplementation) =>
      void versions.push([service, implementation]),
  });
  return versions;
}

/** Computed once for the process: the descriptors are the same for all servers. */
let versions: ReflectionVersion[] | undefined;

/** Add the reflection service, in each version of its protocol, to a server. */
export function addReflection(server: Server): void {
  for (const [at, [service, implementation]] of versionsOver({}).entries()) {
    // The protocol has one method.
    const methods = Object.keys(implementation).map((method) => {
      const reflect = (stream: ServerDuplexStream<object, object>): void => {
        versions ??= versionsOver(reflectedDefinitions(DEFINITIONS));
        (versions[at]![1][method] as handleBidiStreamingCall<object, object>)(stream);
      };
      return [method, reflect] as const;
    });
    server.addService(service, Object.fromEntries(methods));
  }
}
