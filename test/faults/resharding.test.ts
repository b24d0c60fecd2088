import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Server as NetServer, type Socket, createServer } from 'node:net';
import { slotOf } from '../../lib/core/slot.js';
import { type CacheClient, events } from '../../lib/index.js';
import {
  type Cluster,
  describeWithServers,
  HARNESS,
  leftovers,
  type Server,
  startCluster,
  until,
} from '../support/index.js';
import { closeClients, codeOf, ending, openClient } from '../integration/open-client.js';
import { Counters } from './counters.js';
import { codesOf, startLoad } from './load.js';
import { callsOf, tagOf } from './shards.js';

/** Numbers pushed to a list in one go, without waiting for one another. */
const BURST = 25;

describeWithServers('live resharding', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 0 });
  });

  afterEach(closeClients);

  afterAll(async () => {
    await cluster.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[F3] [CLU-3] under load costs no call, keeps the order per key and applies nothing twice', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, timeouts: { read: '5s', write: '5s' } });
    const tag = tagOf(0);
    const slot = slotOf(tag);
    const seen = { moved: 0, ask: 0 };
    const stopListening = events.redirection.subscribe((event) => {
      if (event.slot === slot) seen[event.kind] += 1;
    });
    const counters = new Counters(client, `n${tag}`);
    const pushers = startLoad(4, (caller, turn) => pushBurst(client, `list${tag}:${caller}`, turn));
    const increments = startLoad(8, () => counters.next());
    const reads = startLoad(8, (caller) => client.get(`a${tag}:${caller}`));
    const pairs = startLoad(4, (caller, turn) =>
      client.mset({ [`x${tag}:${caller}`]: String(turn), [`y${tag}:${caller}`]: String(turn) }),
    );
    const all = [pushers, increments, reads, pairs];
    await until(() => all.every((load) => load.succeeded > 20), { what: 'the load runs' });

    // There and back again, key by key, with new keys coming in all the time.
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      const [source, target] = [cluster.nodes[from], cluster.nodes[to]] as [Server, Server];
      await cluster.openSlot(slot, source, target);
      const before = increments.succeeded;
      await until(() => increments.succeeded > before + 50, { what: 'new keys are made during the migration' });
      while ((await cluster.moveKeys(slot, source, target, 40)) === 40);
      await cluster.closeSlot(slot, source, target);
    }
    const settled = all.map((load) => load.succeeded);
    await until(() => all.every((load, index) => load.succeeded > (settled[index] as number) + 20), {
      what: 'the load goes on',
    });
    await Promise.all(all.map((load) => load.stop()));
    stopListening();

    for (const load of all) expect(codesOf(load.errors)).toEqual({});
    expect({ errors: codesOf(counters.errors), unknown: counters.unknown, wrong: counters.wrong }).toEqual({
      errors: {},
      unknown: 0,
      wrong: [],
    });
    expect(await counters.tally()).toEqual({ applied: counters.acknowledged, twice: [] });
    for (let caller = 0; caller < 4; caller += 1) {
      const list = (await client.lrange(`list${tag}:${caller}`, 0, -1)).map(Number);
      expect(list.length).toBeGreaterThan(20 * BURST);
      expect(list).toEqual(list.map((_, index) => index));
    }
    expect(seen.moved).toBeGreaterThan(0);
    expect(seen.ask).toBeGreaterThan(20);
  }, 40_000);

  it('[F3] keeps the order per key of calls that do not wait for one another', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const tag = tagOf(0);
    let pushed = 0;
    const stream = startLoad(1, async () => {
      // Far more than are answered meanwhile.
      const calls: Promise<unknown>[] = [];
      for (let turn = 0; turn < 200; turn += 1) {
        for (let index = 0; index < 5; index += 1) calls.push(client.rpush(`stream${tag}`, String(pushed++)));
        await nextTurn();
      }
      await Promise.all(calls);
    });
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      const [source, target] = [cluster.nodes[from], cluster.nodes[to]] as [Server, Server];
      await cluster.migrateSlot(slotOf(tag), source, target);
      const before = pushed;
      await until(() => pushed > before + 500, { what: 'the stream goes on' });
    }
    await stream.stop();

    expect(codesOf(stream.errors)).toEqual({});
    const list = (await client.lrange(`stream${tag}`, 0, -1)).map(Number);
    expect(list).toHaveLength(pushed);
    expect(list.filter((number, index) => number !== index)).toEqual([]);
  }, 30_000);

  it('[F3] [CLU-3] a slot that never arrives is waited for until the one deadline, and no longer', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const tag = tagOf(1);
    const [, source, target] = cluster.nodes as [Server, Server, Server];
    await client.mset({ [`x${tag}`]: 'x', [`y${tag}`]: 'y' });
    await cluster.openSlot(slotOf(tag), source, target);
    await cluster.moveKeys(slotOf(tag), source, target, 1);

    const startedAt = performance.now();
    const error = await ending(client.with({ timeout: 400 }).mget([`x${tag}`, `y${tag}`]));
    const took = performance.now() - startedAt;

    expect(codeOf(error)).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect((error as Error).cause).toMatchObject({ kind: 'TRYAGAIN' });
    expect(took).toBeGreaterThan(390);
    expect(took).toBeLessThan(400 + 300);
    // And the rest of the keys arrive while somebody waits.
    const waiting = client.mget([`x${tag}`, `y${tag}`]);
    await cluster.moveKeys(slotOf(tag), source, target);
    expect(await waiting).toEqual(['x', 'y']);
    await cluster.closeSlot(slotOf(tag), source, target);
  });

  it('[F7] of keys that are parted meanwhile is waited for, by what must not be repeated as well, and applied once', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs, timeouts: { read: '5s', write: '5s' } });
    const tag = tagOf(0);
    const slot = slotOf(tag);
    const [from, to] = cluster.nodes as [Server, Server];
    const [left, right] = [`left${tag}`, `right${tag}`];
    await client.rpush(left, 'a', 'b');
    await client.rpush(right, 'z');
    const refusals = async (): Promise<number> => {
      const { errorstat_TRYAGAIN: stat = '' } = await from.info('errorstats');
      return Number(/count=(\d+)/.exec(stat)?.[1] ?? 0);
    };
    const before = await refusals();
    await cluster.openSlot(slot, from, to);
    // All but one of the two, so that neither node has both.
    const names = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
    await from.command(
      'MIGRATE',
      to.host,
      to.port,
      '',
      0,
      5_000,
      'AUTH2',
      HARNESS.user,
      HARNESS.password,
      'KEYS',
      ...names.filter((name) => name !== left),
    );

    const moving = client.lmove(left, right, 'left', 'right');
    await until(async () => (await refusals()) > before + 1, { what: 'it has been refused' });
    await cluster.moveKeys(slot, from, to);
    await cluster.closeSlot(slot, from, to);

    expect(await moving).toBe('a');
    expect(await client.lrange(right, 0, -1)).toEqual(['z', 'a']);
    expect(client.circuits().map(({ state }) => state)).not.toContain('open');
    await client.unlink(left, right);
    await cluster.migrateSlot(slot, to, from);
  });

  it('[CLU-3] a transaction whose slot is on its way waits for it and is applied once', async () => {
    const client = await openClient({ mode: 'cluster', nodes: cluster.addrs });
    const tag = tagOf(2);
    const [target, , source] = cluster.nodes as [Server, Server, Server];
    const key = `n${tag}`;
    await client.set(key, '0');
    await cluster.openSlot(slotOf(tag), source, target);
    await cluster.moveKeys(slotOf(tag), source, target);
    const refused = await callsOf(source, 'multi');

    const waiting = client.transaction((t) => [t.incr(key), t.incr(key)]);
    await until(async () => (await callsOf(source, 'multi')) > refused + 1, { what: 'it was tried and sent away' });
    await cluster.closeSlot(slotOf(tag), source, target);

    expect(await waiting).toEqual([1, 2]);
    expect(await client.get(key)).toBe('2');
  });
});

async function pushBurst(client: CacheClient, key: string, turn: number): Promise<void> {
  const numbers = Array.from({ length: BURST }, (_, index) => String(turn * BURST + index));
  await Promise.all(numbers.map((number) => client.rpush(key, number)));
}

describe('nodes that send a command round in circles', () => {
  const listeners: NetServer[] = [];
  let asked = 0;

  afterEach(async () => {
    await closeClients();
    for (const listener of listeners.splice(0)) listener.close();
    asked = 0;
  });

  it.each(['MOVED', 'ASK'])('[F3] are given up after a few %s, at once when nothing may be repeated', async (word) => {
    const nodes = await quarrel(word);
    const client = await openClient({ mode: 'cluster', nodes, resilience: { retry: false } });

    expect(codeOf(await ending(client.get('a')))).toBe('VALKEY_TOO_MANY_REDIRECTIONS');
    expect(asked).toBe(6);
  });

  it('[F3] are given up by the deadline otherwise, and it says why', async () => {
    const client = await openClient({ mode: 'cluster', nodes: await quarrel('MOVED') });
    const startedAt = performance.now();
    const error = await ending(client.with({ timeout: 300 }).incr('n'));

    expect(codeOf(error)).toBe('VALKEY_DEADLINE_EXCEEDED');
    expect(codeOf((error as Error).cause)).toBe('VALKEY_TOO_MANY_REDIRECTIONS');
    expect(performance.now() - startedAt).toBeLessThan(300 + 300);
  });

  /** Two nodes, of which each says that the other one serves everything. */
  async function quarrel(word: string): Promise<string[]> {
    const ports: number[] = [];
    const [first, second] = await Promise.all([0, 1].map((index) => listen((command) => answer(index, command))));
    ports.push(first as number, second as number);
    return ports.map((port) => `127.0.0.1:${port}`);

    function answer(index: number, command: string): string {
      if (command === 'cluster') {
        const host = '127.0.0.1';
        return `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$${host.length}\r\n${host}\r\n:${ports[0]}\r\n`;
      }
      if (command === 'ping' || command === 'asking') return '+OK\r\n';
      asked += 1;
      return `-${word} ${slotOf(command === 'get' ? 'a' : 'n')} 127.0.0.1:${ports[1 - index]}\r\n`;
    }
  }

  async function listen(answer: (command: string) => string): Promise<number> {
    const listener = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      // Commands are short and come in whole; one chunk can hold several.
      socket.on('data', (chunk) => {
        for (const [, name] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g))
          socket.write(answer(name as string));
      });
    });
    listeners.push(listener);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return (listener.address() as { port: number }).port;
  }
});
