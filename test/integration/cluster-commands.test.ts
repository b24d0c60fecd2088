import { CrossSlotError, defineScript, PipelineError } from '../../lib/index.js';
import type { CacheClient } from '../../lib/index.js';
import { slotOf } from '../../lib/core/slot.js';
import { type Cluster, type Server, describeWithServers, leftovers, startCluster } from '../support/index.js';
import { busyFor, closeClients, codeOf, ending, openClient } from './open-client.js';

const KEYS = Array.from({ length: 1_000 }, (_, index) => `key:${index}`);

describeWithServers('commands on a cluster', () => {
  let cluster: Cluster;
  let client: CacheClient;

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 0, requireFullCoverage: false });
    client = await openClient({ mode: 'cluster', nodes: cluster.addrs, resilience: { breaker: false } });
  });

  beforeEach(async () => {
    await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
  });

  afterAll(async () => {
    await closeClients();
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[F4] [CLU-2] a pipeline of 1,000 keys over three primaries comes back in order', async () => {
    const written = await client.pipeline((p) => KEYS.map((key, index) => p.set(key, `value ${index}`)));
    const read = await client.pipeline((p) => KEYS.map((key) => p.get(key)));

    expect(new Set(written)).toEqual(new Set(['OK']));
    expect(read).toEqual(KEYS.map((_, index) => `value ${index}`));
    for (const size of await sizes()) expect(size).toBeGreaterThan(200);
  });

  it('[CLU-1] [F13] mget and mset go to every slot concerned, and values come back in order', async () => {
    await client.mset(Object.fromEntries(KEYS.map((key, index) => [key, String(index)])));

    expect(await client.mget(KEYS.toReversed())).toEqual(KEYS.map((_, index) => String(index)).toReversed());
    expect(await client.mget(['key:1', 'none', 'key:1', 'key:3'])).toEqual(['1', null, '1', '3']);
    expect((await sizes()).reduce((sum, size) => sum + size, 0)).toBe(KEYS.length);
  });

  it.each(['del', 'unlink', 'exists', 'touch'] as const)(
    '[CLU-1] [F13] %s sums what the slots answer',
    async (name) => {
      await client.mset(Object.fromEntries(KEYS.map((key) => [key, 'x'])));

      expect(await client[name](...KEYS, 'none', 'neither')).toBe(KEYS.length);
      const left = (await sizes()).reduce((sum, size) => sum + size, 0);
      expect(left).toBe(name === 'del' || name === 'unlink' ? 0 : KEYS.length);
    },
  );

  it('[CLU-1] [F13] commands of many slots work inside a pipeline as well', async () => {
    const results = await client.pipeline((p) => [
      p.mset({ 'key:0': 'zero', 'key:1': 'one', 'key:2': 'two', 'key:3': 'three' }),
      p.mget(['key:3', 'none', 'key:0']),
      p.exists('key:0', 'key:1', 'key:2', 'none'),
      p.touch('key:0', 'key:1'),
      p.unlink('key:0', 'key:1'),
      p.del('key:1', 'key:2', 'key:3'),
      p.get('key:0'),
    ]);

    expect(results).toEqual(['OK', ['three', null, 'zero'], 3, 2, 2, 2, null]);
  });

  it('[F13] [PIP-2] a transaction over several slots, or without a key, is refused before anything is sent', async () => {
    await client.get('key:1');
    const before = await callsOf(['multi', 'exec', 'set', 'ping', 'watch']);

    const crossed = await ending(client.transaction((t) => [t.set('key:1', 'a'), t.set('key:2', 'b')]));
    const keyless = await ending(client.transaction((t) => [t.ping()]));
    const watched = await ending(client.transaction({ watch: ['key:1', 'key:2'] }, (t) => [t.set('key:1', 'a')]));

    expect(crossed).toBeInstanceOf(CrossSlotError);
    expect(codeOf(keyless)).toBe('VALKEY_ARGUMENT_INVALID');
    expect(watched).toBeInstanceOf(CrossSlotError);
    // PING is how a dedicated connection says hello.
    expect({ ...(await callsOf(['multi', 'exec', 'set', 'ping', 'watch'])), ping: 0 }).toEqual({ ...before, ping: 0 });
    expect(await sizes()).toEqual([0, 0, 0]);
  });

  it('[PIP-2] a transaction whose keys share a slot is applied as a whole', async () => {
    expect(await client.transaction((t) => [t.set('{a}1', '1'), t.incr('{a}2'), t.get('{a}1')])).toEqual([
      'OK',
      1,
      '1',
    ]);
  });

  it('[F6] [PIP-3] every node runs a script after SCRIPT FLUSH, and runs it once', async () => {
    const count = defineScript({ name: 'count', lua: `return server.call('INCR', KEYS[1])` });
    const keys = KEYS.slice(0, 100);
    await Promise.all(keys.map((key) => client.run(count, [key])));
    await Promise.all(cluster.nodes.map((node) => node.command('SCRIPT', 'FLUSH')));

    const alone = await Promise.all(keys.map((key) => client.run(count, [key])));
    await Promise.all(cluster.nodes.map((node) => node.command('SCRIPT', 'FLUSH')));
    const queued = await client.pipeline((p) => keys.map((key) => p.run(count, [key])));
    await Promise.all(cluster.nodes.map((node) => node.command('SCRIPT', 'FLUSH')));
    const [inTransaction] = await client.transaction((t) => [t.run(count, ['key:0'])]);

    expect(alone).toEqual(keys.map(() => 2));
    expect(queued).toEqual(keys.map(() => 3));
    expect(inTransaction).toBe(4);
  });

  it('computes the slot of a key as the server does', async () => {
    const random = Array.from({ length: 300 }, () =>
      Buffer.from(Array.from({ length: Math.floor(Math.random() * 20) + 1 }, () => Math.floor(Math.random() * 256))),
    );
    const tagged = ['{a}b', 'b{a}', '{}a', 'a{}b{c}', '{a', 'a}', '{{a}}', '{a}{b}', '}{a}', 'ä{ö}ü', 'foo{{bar}}zap'];
    for (const key of [...tagged.map((text) => Buffer.from(text)), ...random]) {
      const [node] = cluster.nodes;
      expect(slotOf(key)).toBe(await node?.command('CLUSTER', 'KEYSLOT', key));
    }
  });

  it('[CMD-7] a scan visits every primary, gives each key once and finds all that were there throughout', async () => {
    const there = Array.from({ length: 3_200 }, (_, index) => `there:${index}`);
    await client.mset(Object.fromEntries(there.map((key) => [key, 'x'])));
    const scan = { goesOn: true };
    let writes = 0;
    const others = (async () => {
      for (let round = 0; scan.goesOn; round += 1) {
        const fresh = Array.from({ length: 200 }, (_, index) => `fresh:${round}:${index}`);
        await client.mset(Object.fromEntries(fresh.map((key) => [key, 'x'])));
        if (round % 2 === 1) await client.unlink(...fresh);
        writes += fresh.length;
      }
    })();

    const seen: string[] = [];
    for await (const key of client.scan({ count: 50 })) seen.push(key);
    scan.goesOn = false;
    await others;

    expect(writes).toBeGreaterThan(200);
    expect(new Set(seen).size).toBe(seen.length);
    expect(there.filter((key) => !seen.includes(key))).toEqual([]);
  });

  it('a slow command delays the replies of no other node', async () => {
    const [slowKey, ...fastKeys] = await keysByNode();
    const done: string[] = [];
    const slow = client.call('EVAL', busyFor(300), 1, slowKey as string).then(() => done.push('slow'));
    await Promise.all(fastKeys.map((key) => client.get(key).then(() => done.push('fast'))));

    expect(done).toEqual(['fast', 'fast']);
    await slow;
  });

  it('[F4] [CLU-2] with a primary dead only its positions of a pipeline fail', async () => {
    const options = { mode: 'cluster', nodes: cluster.addrs, timeouts: { read: 400, write: 400 } };
    const impatient = await openClient({ ...options, resilience: { breaker: false } });
    await client.mset(Object.fromEntries(KEYS.map((key) => [key, key])));
    const dead = cluster.nodes[1] as Server;
    const lost = new Set(await keysOn(dead));
    await dead.kill();

    const settled = await impatient.pipeline((p) => KEYS.map((key) => p.get(key)), { settled: true });
    const failure = await ending(chained(impatient));

    expect(lost.size).toBeGreaterThan(200);
    for (const [index, key] of KEYS.entries()) {
      const result = settled[index];
      if (lost.has(key)) expect(result?.ok).toBe(false);
      else expect(result).toEqual({ ok: true, value: key });
    }
    expect(failure).toBeInstanceOf(PipelineError);
    expect((failure as PipelineError).results.filter(({ ok }) => ok)).toHaveLength(KEYS.length - lost.size);
    // Last in this file: it leaves the cluster in pieces.
    await dead.restart();
  });

  function chained(of: CacheClient): Promise<unknown> {
    const chain = of.pipeline() as unknown as { get(key: string): void; exec(): Promise<unknown> };
    for (const key of KEYS) chain.get(key);
    return chain.exec();
  }

  async function sizes(): Promise<number[]> {
    return Promise.all(cluster.nodes.map(async (node) => Number(await node.command('DBSIZE'))));
  }

  async function keysOn(node: Server): Promise<string[]> {
    return (await node.command('KEYS', '*')) as string[];
  }

  /** One key of each primary. */
  async function keysByNode(): Promise<string[]> {
    const owners = await Promise.all(KEYS.slice(0, 30).map((key) => cluster.nodeOfSlot(slotOf(key))));
    return cluster.nodes.map((node) => KEYS[owners.indexOf(node)] as string);
  }

  async function callsOf(names: readonly string[]): Promise<Record<string, number>> {
    const counts = Object.fromEntries(names.map((name) => [name, 0]));
    for (const node of cluster.nodes) {
      const stats = await node.info('commandstats');
      for (const name of names) {
        counts[name] = (counts[name] ?? 0) + Number(/calls=(\d+)/.exec(stats[`cmdstat_${name}`] ?? '')?.[1] ?? 0);
      }
    }
    return counts;
  }
});
