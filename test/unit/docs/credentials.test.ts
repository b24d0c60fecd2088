import { readFileSync } from 'node:fs';
import { type CacheClient, createClient, resolveSettings } from '../../../lib/index.js';
import { type Server, describeWithServers, startServer, until } from '../../support/index.js';
import { iamCredentials } from './iam-credentials.js';
import { page } from './pages.js';

it('the guide to credentials shows the code that is tested here', () => {
  expect(page('docs/credentials.md').text).toContain(readFileSync('test/unit/docs/iam-credentials.ts', 'utf8'));
});

describeWithServers('credentials from a token source', () => {
  let server: Server;
  let client: CacheClient;
  let issued: string[];

  /** Tokens that end in a moment; the third is one the server does not know. */
  const fetchIamToken = (): Promise<{ token: string; expiresAt: number }> => {
    const token = `token-${issued.length + 1}`;
    issued.push(token);
    return Promise.resolve({ token, expiresAt: Date.now() + 1_000 });
  };

  beforeAll(async () => {
    issued = [];
    server = await startServer({ users: ['app on >token-1 >token-2 ~* &* +@all'] });
    const { settings } = resolveSettings(
      {
        host: server.host,
        port: server.port,
        credentials: iamCredentials('app', fetchIamToken),
        credentialRefresh: 100,
        // A stall of the machine must not cost the connection: after the second token there is no way back in.
        timeouts: { dial: '30s', read: '30s', write: '30s' },
      },
      {},
    );
    client = createClient(settings);
    await client.connect();
  });

  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  it('[CFG-8] shows a fresh token on the live connection before the old one ends', async () => {
    const before = await state();
    // Once on a connection of its own, then on this one.
    await until(async () => (await state()).accepted === before.accepted + 2, { what: 'it authenticates again' });

    expect(issued.slice(0, 2)).toEqual(['token-1', 'token-2']);
    expect(await state()).toMatchObject({ connection: before.connection, user: 'app', accepted: before.accepted + 2 });
  });

  it('[CFG-8] goes on under the old token when the server refuses a new one', async () => {
    const before = await state();
    await until(async () => (await state()).refused > 0, { what: 'the server refuses a token' });

    expect(await state()).toMatchObject({ connection: before.connection, user: 'app', accepted: before.accepted });
  });

  /** Which connection it is, as whom, and how AUTH ended so far; nobody else speaks to the server meanwhile. */
  async function state(): Promise<{ connection: unknown; user: unknown; accepted: number; refused: number }> {
    const [connection, user, figures] = await client.pipeline((p) => [
      p.call('CLIENT', 'ID'),
      p.call('ACL', 'WHOAMI'),
      p.call('INFO', 'commandstats'),
    ]);
    const [, calls = '0', failed = '0'] = /cmdstat_auth:calls=(\d+),.*failed_calls=(\d+)/.exec(String(figures)) ?? [];
    return { connection, user, accepted: Number(calls) - Number(failed), refused: Number(failed) };
  }
});
