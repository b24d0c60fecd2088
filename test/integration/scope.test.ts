import { getEventListeners } from 'node:events';
import { DeadlineError, OutcomeUnknownError } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import { describeWithServers, until } from '../support/index.js';
import { behindProxy } from './behind-proxy.js';
import { codeOf, ending, openClient } from './open-client.js';

describeWithServers('with()', () => {
  const site = behindProxy();
  let client: CacheClient;

  beforeEach(async () => {
    client = await openClient({ ...site.target, pool: { size: 1 } });
  });

  it("[CMD-6] an aborted call rejects at once with the signal's own reason, wherever it waits", async () => {
    site.proxy.blackHole();
    const controller = new AbortController();
    const scoped = client.with({ signal: controller.signal });
    const calls = [
      scoped.get('sent'),
      scoped.incr('sent'),
      scoped.blpop('opening', { timeout: 0 }),
      scoped.blpop('waiting', { timeout: 0 }),
      scoped.transaction((t) => [t.set('a', '1')]),
      scoped.transaction({ watch: ['a'] }, (t) => [t.set('a', '1')]),
    ];
    const endings = Promise.all(calls.map(ending));
    await until(() => site.proxy.accepted === 2, { what: 'the dedicated connection is being opened' });
    const reason = new Error('no longer wanted');
    const abortedAt = performance.now();
    controller.abort(reason);

    for (const outcome of await endings) expect(outcome).toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(100);
    expect(await ending(scoped.get('late'))).toBe(reason);
    expect(client.underWay).toBe(0);
  });

  it('[CMD-6] an aborted BLPOP and an aborted wait for a connection take nothing with them', async () => {
    const controller = new AbortController();
    const scoped = client.with({ signal: controller.signal });
    const endings = Promise.all([scoped.blpop('q', { timeout: 0 }), scoped.blpop('q', { timeout: 0 })].map(ending));
    await until(async () => (await site.server.info('clients'))['blocked_clients'] === '1', { what: 'one waits' });
    controller.abort('enough');
    expect(await endings).toEqual(['enough', 'enough']);
    await until(async () => (await site.server.info('clients'))['blocked_clients'] === '0', { what: 'it is gone' });

    await client.rpush('q', 'element');
    expect(await client.blpop('q', { timeout: '1s' })).toBeTruthy();
  });

  it('[CMD-6] leaves no listener on the signal', async () => {
    const controller = new AbortController();
    const scoped = client.with({ signal: controller.signal });
    await Promise.all(Array.from({ length: 100 }, () => scoped.get('a')));
    await ending(scoped.call('HGET', 'a'));
    await scoped.transaction({ watch: ['a'] }, (t) => [t.set('a', '1')]);
    await scoped.pipeline((p) => [p.get('a'), p.set('b', '1')]);
    await ending(scoped.with({ timeout: 50 }).blpop('q', { timeout: 0 }));

    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const under = Promise.all(Array.from({ length: 100 }, () => scoped.get('a')));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    await under;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('[RES-3] hears what came in time, though this process was busy until after the deadline', async () => {
    const direct = await openClient({ host: '127.0.0.1', port: site.server.port });
    await direct.set('a', '1');
    const answers = [direct.with({ timeout: 50 }).get('a'), direct.with({ timeout: 50 }).incr('n')];
    // Both are on the wire when the long sum begins.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const end = performance.now() + 200;
    while (performance.now() < end);

    expect(await Promise.all(answers)).toEqual(['1', 1]);
  });

  it('[CMD-6] a deadline in a black hole says what it means: late for a read, unknown for an INCR', async () => {
    site.proxy.blackHole();
    const hasty = client.with({ timeout: '80ms' });
    const startedAt = performance.now();
    const [read, write, many] = await Promise.all([
      ending(hasty.get('a')),
      ending(hasty.incr('n')),
      Promise.all(Array.from({ length: 40 }, () => ending(hasty.get('a')))),
    ]);

    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(codeOf(read)).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(write).toBeInstanceOf(OutcomeUnknownError);
    for (const late of many) {
      expect(late).toBeInstanceOf(DeadlineError);
      expect((late as DeadlineError).subject).toBe('GET');
      expect((late as DeadlineError).message).toMatch(/^GET had no answer within \d+ ms/);
    }
  });

  it('[CMD-6] keeps the short deadline of one reading call among many patient ones', async () => {
    site.proxy.blackHole();
    const patient = Array.from({ length: 40 }, () => ending(client.get('a')));
    const startedAt = performance.now();
    const hasty = ending(client.with({ timeout: '80ms' }).get('a'));

    expect(codeOf(await hasty)).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(performance.now() - startedAt).toBeLessThan(500);
    site.proxy.heal();
    expect(await Promise.all(patient)).toEqual(Array(40).fill(null));
  });

  it('[CMD-6] bounds a watched transaction as well: opening, watching and executing', async () => {
    const hasty = client.with({ timeout: '100ms' });
    const run = (): Promise<unknown> => ending(hasty.transaction({ watch: ['a'] }, (t) => [t.incr('a')]));
    expect(await run()).toEqual([1]);
    site.proxy.blackHole();

    expect(codeOf(await run())).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(codeOf(await run())).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(client.underWay).toBe(0);
  });

  it('says in a late error why it had no answer before', async () => {
    await site.proxy.refuse();
    site.proxy.cut();
    const late = (await ending(client.with({ timeout: '100ms' }).get('a'))) as DeadlineError;

    expect(codeOf(late)).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(codeOf(late.cause)).toBe('VALKEY_CONNECTION_FAILED');
  });
});
