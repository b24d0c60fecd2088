import { describeWithServers, leftovers, type Server, startServer, until, watchUnhandled } from '../support/index.js';
import { defineScript, type CacheClient } from '../../lib/index.js';
import { closeClients, openClient } from './open-client.js';

const script = defineScript({ name: 'one', lua: 'return 1' });

describeWithServers('input no type would let through', () => {
  let server: Server;
  let client: CacheClient;

  beforeAll(async () => {
    server = await startServer();
    client = await openClient({ host: server.host, port: server.port });
  });

  afterAll(async () => {
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  const argumentError = { code: 'VALKEY_ARGUMENT_INVALID' };

  it('[F16] fails alone and leaves the other commands of its tick as they are', async () => {
    const unhandled = watchUnhandled();
    const odd = client as unknown as {
      run(...args: unknown[]): Promise<unknown>;
      scan(options: unknown): AsyncGenerator;
    };
    const outcomes = await Promise.allSettled([
      client.incr('before'),
      odd.run(script, [5], []),
      odd.run(script, [['a']], []),
      odd.scan({ type: 5 }).next(),
      odd.scan({ match: {} }).next(),
      client.incr('after'),
      client.get('before'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(argumentError);
    expect(await client.get('after')).toBe('1');
    expect(await unhandled.stop()).toEqual([]);
  });

  it('[F16] is refused as a key to watch, a channel, a scope', async () => {
    const odd = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    await expect(odd['transaction']?.({ watch: 'stock' }, () => [])).rejects.toMatchObject(argumentError);
    await expect(odd['subscribe']?.([5])).rejects.toMatchObject(argumentError);
    await expect(odd['set']?.('k', 'v', { ttl: null })).rejects.toMatchObject(argumentError);
    expect(() => client.with(null as never)).toThrow(expect.objectContaining(argumentError));
    expect(() => client.with({ signal: {} as AbortSignal })).toThrow(expect.objectContaining(argumentError));
  });

  it('[PIP-1] [PIP-2] a builder that is async, or gives what it has not queued, sends nothing', async () => {
    const build = async (queue: { set(key: string, value: string): unknown }): Promise<unknown> => {
      await Promise.resolve();
      return [queue.set('late', '1')];
    };
    await expect(client.transaction(build)).rejects.toMatchObject(argumentError);
    await expect(client.pipeline(build)).rejects.toMatchObject(argumentError);
    await expect(client.pipeline((p) => [p.set('late', '1'), undefined])).rejects.toMatchObject(argumentError);
    await expect(client.pipeline((p) => ({ late: p.set('late', '1') }))).rejects.toMatchObject(argumentError);
    let foreign: unknown;
    await client.pipeline((p) => (foreign = [p.get('a'), p.get('late')]));
    await expect(client.pipeline((p) => [p.get('b'), foreign])).rejects.toMatchObject(argumentError);
    expect(await client.exists('late')).toBe(0);
  });

  it('keys and values with quotes in them do not show up in errors', async () => {
    const secrets = ["g'SECRET1", "it's SECRET2 key"] as const;
    const refused = client.call('XREADGROUP', 'GROUP', secrets[0], 'c', 'STREAMS', secrets[1], '>');
    const error = await refused.catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).not.toMatch(/SECRET/);
    expect((error as Error).message).toMatch(/NOGROUP/);
  });

  it('[F7] a server that has nothing to kill is not taken for a busy one', async () => {
    await expect(client.call('SCRIPT', 'KILL')).rejects.toMatchObject({ code: 'VALKEY_REPLY', kind: 'NOTBUSY' });
  });

  it('[CMD-6] any number of scopes shares one listener on a signal', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 50 }, () => client.with({ signal }).get('a')));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});

describeWithServers('a server that does not answer', () => {
  let server: Server;

  beforeEach(async () => {
    server = await startServer();
  });

  afterEach(async () => {
    server.resume();
    await closeClients();
    await server.stop();
  });

  it('[CMD-6] ends a subscription by the deadline, by the signal, and every further one too', async () => {
    const client = await openClient({ host: server.host, port: server.port });
    const open = await client.subscribe('one');
    server.pause();
    const late = client.with({ timeout: '100ms' });
    await expect(Promise.allSettled([late.subscribe('two'), late.subscribe('two')])).resolves.toMatchObject([
      { status: 'rejected', reason: { code: 'VALKEY_DEADLINE_EXCEEDED' } },
      { status: 'rejected', reason: { code: 'VALKEY_DEADLINE_EXCEEDED' } },
    ]);
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborted = client.with({ signal: controller.signal }).subscribe('three');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    server.resume();
    await open.close();
  });

  it('[CMD-6] a signal ends the loop over a subscription with its reason', async () => {
    const client = await openClient({ host: server.host, port: server.port });
    const controller = new AbortController();
    const subscription = await client.with({ signal: controller.signal }).subscribe('one');
    const next = subscription.next();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
  });

  it('[RES-7] close() does not wait for a command that may wait for minutes', async () => {
    // The drain limit is beyond the test's own: waiting for it would fail.
    const client = await openClient({ host: server.host, port: server.port, drain: '5m' });
    const popped = client.blpop(['nothing'], { timeout: '5m' }).catch((error: unknown) => error);
    await until(async () => (await server.info('clients'))['blocked_clients'] === '1', { what: 'a blocked client' });
    await client.close();
    expect(await popped).toMatchObject({ code: 'VALKEY_OUTCOME_UNKNOWN', cause: { code: 'VALKEY_CLIENT_CLOSED' } });
  });

  it('[CMD-7] a scan of a server that is gone ends by its deadline', async () => {
    const client = await openClient({
      host: server.host,
      port: server.port,
      timeouts: { read: '300ms' },
      resilience: { breaker: false },
    });
    await server.kill();
    const startedAt = performance.now();
    await expect(client.scan().next()).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    // A bound on the number of waits, not on the machine's speed: twenty restarts would be six seconds.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});
