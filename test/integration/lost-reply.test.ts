import { OutcomeUnknownError } from '../../lib/index.js';
import { describeWithServers, until, watchUnhandled } from '../support/index.js';
import { behindProxy } from './behind-proxy.js';
import { codeOf, ending, newClient, openClient } from './open-client.js';

describeWithServers('a lost reply', () => {
  const site = behindProxy();

  it('[F1] of INCR is an unknown outcome, and it was applied once', async () => {
    const client = await openClient(site.target);
    site.proxy.dropReply('INCR');

    const error = await ending(client.incr('n'));

    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(site.proxy.dropped).toBe(1);
    expect(await client.get('n')).toBe('1');
  });

  it('[F1] of GET goes unnoticed, alone and among forty that travel together', async () => {
    const client = await openClient(site.target);
    await client.set('a', '1');
    site.proxy.dropReply('GET');
    expect(await client.get('a')).toBe('1');
    site.proxy.dropReply('MGET');
    expect(await Promise.all(Array.from({ length: 40 }, () => client.get('a')))).toEqual(Array(40).fill('1'));

    expect(site.proxy.dropped).toBe(2);
  });

  it('[F1] in a pipeline concerns only what was not answered', async () => {
    const client = await openClient(site.target);
    site.proxy.dropReply((command) => command[1] === 'second');
    const settled = await client.pipeline(
      (p) => [p.incr('first'), p.incr('second'), p.set('c', '1'), p.incr('third')],
      {
        settled: true,
      },
    );

    expect(settled.map((result) => (result.ok ? result.value : codeOf(result.error)))).toEqual([
      1,
      'VALKEY_OUTCOME_UNKNOWN',
      'OK',
      'VALKEY_OUTCOME_UNKNOWN',
    ]);
    expect(await client.mget(['first', 'second'])).toEqual(['1', '1']);
  });

  it('[F1] of EXEC is an unknown outcome, and the transaction was applied once', async () => {
    const client = await openClient(site.target);
    site.proxy.dropReply('EXEC');

    expect(await ending(client.transaction((t) => [t.incr('n'), t.incr('n')]))).toBeInstanceOf(OutcomeUnknownError);
    expect(await client.get('n')).toBe('2');
  });

  it('a command that found the socket closing was not sent, so even INCR is tried again', async () => {
    const client = await openClient(site.target);
    client.native<{ stream: { end(): void } }>().stream.end();

    expect(await client.incr('n')).toBe(1);
  });

  it('connections that are cut all the time cost no reading call and apply no INCR twice', async () => {
    const watch = watchUnhandled();
    const client = newClient({
      ...site.target,
      timeouts: { read: 5_000, write: 5_000 },
      resilience: { breaker: false, retry: { attempts: 100, max: 20 } },
    });
    await client.connect();
    await client.set('a', '1');
    const load = { busy: true };
    let cuts = 0;
    const cutter = (async () => {
      for (; load.busy; cuts += 1) {
        // Enough for a greeting and a few replies, so that every connection gets somewhere.
        const { toClient } = site.proxy.bytes;
        await until(() => site.proxy.bytes.toClient > toClient + 30 || !load.busy, {
          what: 'replies arrive',
          interval: 1,
        });
        site.proxy.cut();
      }
    })();
    const outcomes: unknown[] = [];
    const reads: unknown[] = [];
    for (let round = 0; round < 60; round += 1) {
      outcomes.push(await ending(client.incr('n')));
      reads.push(await ending(client.get('a')));
    }
    load.busy = false;
    await cutter;

    const applied = Number(await site.server.command('GET', 'n'));
    const confirmed = outcomes.filter((outcome) => typeof outcome === 'number').length;
    const unknown = outcomes.filter((outcome) => outcome instanceof OutcomeUnknownError).length;
    expect(cuts).toBeGreaterThan(5);
    expect(confirmed + unknown).toBe(60);
    expect(applied).toBeGreaterThanOrEqual(confirmed);
    expect(applied).toBeLessThanOrEqual(60);
    expect(reads).toEqual(Array(60).fill('1'));
    expect(await watch.stop()).toEqual([]);
  });
});
