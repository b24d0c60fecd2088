import { type FaultProxy, leftovers, type Server, startFaultProxy, startServer } from '../support/index.js';
import { closeClients } from './open-client.js';

/** One server for a file, empty before each test, and a fresh proxy in front of it; read them inside of tests. */
export interface BehindProxy {
  readonly server: Server;
  readonly proxy: FaultProxy;
  /** The proxy's address, as a client's options. */
  readonly target: { readonly host: string; readonly port: number };
}

/** Sets a server and its proxy up for the tests of a `describe`, and clears away what they and their clients leave. */
export function behindProxy(): BehindProxy {
  let server: Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await startServer();
  });

  beforeEach(async () => {
    await server.command('FLUSHALL');
    proxy = await startFaultProxy(server);
  });

  afterEach(async () => {
    await closeClients();
    await proxy.close();
  });

  afterAll(async () => {
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  return {
    get server() {
      return server;
    },
    get proxy() {
      return proxy;
    },
    get target() {
      return { host: proxy.host, port: proxy.port };
    },
  };
}
