import { describeWithServers, startServer, until, watchUnhandled } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { endObservation, observedClient, of, watch } from '../observability/observed-client.js';
import { createClient, resolveSettings } from '../../../lib/index.js';

afterEach(endObservation);

const failing = new Error('from the listener');

function fail(): never {
  throw failing;
}

describe('[HOK-3] a listener of onStatus() that throws', () => {
  it('changes nothing for connect(), close() and the other listeners, and becomes an event', async () => {
    const unhandled = watchUnhandled();
    const seen = watch('hookError');
    const heard: string[] = [];
    const client = createClient(resolveSettings({ mode: 'embedded', name: 'shop' }, {}).settings);
    client.onStatus(fail);
    client.onStatus(({ state }) => void heard.push(state));
    // An async function fits the type too.
    client.onStatus(() => Promise.reject(failing) as never);

    await client.connect();
    await client.set('key', 'value');
    await client.close();

    await until(() => seen.length === 4, { what: 'all four failures are told' });
    expect(heard).toEqual(['ready', 'closed']);
    expect(of(seen, 'hookError')).toEqual(
      Array.from({ length: 4 }, () => ({ ...client.identity, hook: 'onStatus', error: failing })),
    );
    expect(await unhandled.stop()).toEqual([]);
  });

  it('is no longer called once it is taken away', async () => {
    const heard: string[] = [];
    const client = await observedClient();
    client.onStatus(({ state }) => void heard.push(state))();

    await client.close();

    expect(heard).toEqual([]);
  });
});

describeWithServers('[HOK-3] a listener of onStatus() that throws, with a server', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer();
  });

  afterEach(() => server.stop());

  it('stops neither the first connection nor any other', async () => {
    const unhandled = watchUnhandled();
    const { settings } = resolveSettings({ host: server.host, port: server.port, drain: 100 }, {});
    const client = createClient(settings);
    client.onStatus(fail);
    await client.connect();

    await server.kill();
    await until(() => client.status().state === 'down', { what: 'the loss is noticed' });
    await server.restart();

    await until(() => client.status().state === 'ready', { what: 'the connection is open again', timeout: 15_000 });
    expect(await client.set('key', 'value')).toBeTruthy();
    await client.close();
    expect(await unhandled.stop()).toEqual([]);
  });
});
