/**
 * A gRPC server that goes on when the response of a call cannot be sent: the call ends with INTERNAL, and the error is
 * logged.
 *
 * Every service is added through `addService`, so every call passes the guard here. Without it, an error that grpc-js
 * throws from a callback, for example for a status text that is not Unicode, is thrown in no call at all and stops the
 * process. Limit: an error of a stream after its handler has returned is the handler's own to catch.
 */
import {
  Server,
  type ServerOptions,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';

type Callback = (error: unknown, ...rest: unknown[]) => void;
/** A call as far as the guard uses it. */
interface Call {
  getPath: () => string;
  emit: (event: 'error', error: object) => unknown;
}

const INTERNAL = { code: status.INTERNAL, details: 'Internal error' };

/** A server whose calls are guarded. */
export class GuardedServer extends Server {
  readonly #logger: Logger;

  constructor(options: ServerOptions, logger: Logger) {
    super(options);
    this.#logger = logger;
  }

  override addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    const handlers = Object.entries(implementation).map(([name, handler]) => [name, this.#guarded(handler)] as const);
    const methods = Object.entries(service).map(([name, method]) => {
      const responseSerialize = (response: unknown): Buffer => {
        try {
          return method.responseSerialize(response);
        } catch (error) {
          // grpc-js then ends the call with INTERNAL.
          this.#say(method.path, error);
          throw error;
        }
      };
      return [name, { ...method, responseSerialize }] as const;
    });
    super.addService(Object.fromEntries(methods), Object.fromEntries(handlers));
  }

  #guarded(handler: UntypedHandleCall): UntypedHandleCall {
    const handle = handler as (call: Call, callback?: Callback) => void;
    const guarded = (call: Call, callback?: Callback): void => {
      const end = (error: unknown): void => {
        this.#say(call.getPath(), error);
        try {
          if (callback) callback(INTERNAL);
          else call.emit('error', INTERNAL);
        } catch (second) {
          this.#say(call.getPath(), second);
        }
      };
      const respond: Callback = (...response) => {
        try {
          callback!(...response);
        } catch (error) {
          end(error);
        }
      };
      try {
        handle(call, callback && respond);
      } catch (error) {
        end(error);
      }
    };
    return guarded as UntypedHandleCall;
  }

  #say(path: string, error: unknown): void {
    this.#logger.error({ err: error, path }, 'call failed');
  }
}
