import { describeWithServers, until } from '../support/index.js';
import { behindProxy } from '../integration/behind-proxy.js';
import { codeOf, ending, openClient } from '../integration/open-client.js';

describeWithServers('a connection into a black hole', () => {
  const site = behindProxy();

  it('[F8] is noticed by the deadline, given up, and nothing that timed out runs later', async () => {
    const client = await openClient({ ...site.target, timeouts: { read: 250, write: 250 } });
    await client.incr('n');
    site.proxy.blackHole();

    const startedAt = performance.now();
    const calls = Promise.all([client.get('n'), client.incr('n'), client.set('s', '1')].map(ending));
    expect((await calls).map(codeOf)).toEqual([
      'VALKEY_DEADLINE_EXCEEDED',
      'VALKEY_OUTCOME_UNKNOWN',
      'VALKEY_DEADLINE_EXCEEDED',
    ]);
    expect(performance.now() - startedAt).toBeLessThan(250 + 250);

    const { accepted } = site.proxy;
    await until(() => site.proxy.accepted > accepted, { what: 'the client tries a new connection', timeout: 2_000 });
    site.proxy.heal();
    const works = async (): Promise<boolean> => (await client.get('n')) === '1';
    await until(works, { what: 'the client is back', timeout: 5_000 });
    expect(await site.server.command('MGET', 'n', 's')).toEqual(['1', null]);
  });

  it('[F8] is given up within a second even if every caller is in more of a hurry, or only one ever called', async () => {
    const client = await openClient(site.target);
    await client.incr('n');
    site.proxy.blackHole();
    const { accepted } = site.proxy;
    const blackSince = performance.now();

    // Long before the silence would be suspicious; and nobody calls again.
    expect(codeOf(await ending(client.with({ timeout: 40 }).incr('n')))).toBe('VALKEY_OUTCOME_UNKNOWN');
    await until(() => site.proxy.accepted > accepted, { what: 'the client tries a new connection', timeout: 3_000 });

    expect(performance.now() - blackSince).toBeGreaterThan(900);
    site.proxy.heal();
    await until(async () => (await client.get('n')) === '1', { what: 'the client is back' });
    expect(await site.server.command('GET', 'n')).toBe('1');
  });

  it('[F8] is not suspected because of a BLPOP that waits, a link that idles, or one slow answer among quick ones', async () => {
    const client = await openClient({ ...site.target, timeouts: { read: 400, write: 400 } });
    await client.set('a', '1');
    const popped = client.blpop(['queue'], { timeout: '10s' });
    await until(async () => Number((await site.server.info('clients'))['blocked_clients']) === 1, {
      what: 'BLPOP waits',
    });
    const { accepted } = site.proxy;

    // Longer than any silence that is allowed with a command under way.
    const idleSince = performance.now();
    await until(() => performance.now() - idleSince > 800, { what: 'the link has idled' });
    for (let round = 0; round < 3; round += 1) {
      // Too late for this caller, but it comes.
      const error = await ending(client.with({ timeout: 20 }).call('DEBUG', 'SLEEP', '0.15'));
      expect(codeOf(error)).toBe('VALKEY_OUTCOME_UNKNOWN');
      expect(await client.get('a')).toBe('1');
    }

    expect(site.proxy.accepted).toBe(accepted);
    await site.server.command('RPUSH', 'queue', 'x');
    expect(await popped).toMatchObject({ value: 'x' });
  });
});
