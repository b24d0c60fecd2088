import { describeWithServers, leftovers, startCluster, startSentinel, until } from '../support/index.js';
import type { Server } from '../support/index.js';
import { shops } from '../integration/idempotency/shops.js';
import type { Answer, Shop, Shops } from '../integration/idempotency/shops.js';

// Processes and servers on a machine that may be busy.
import.meta.jest.setTimeout(120_000);

const DUPLICATES = 1_000;

/** Servers of which a primary can die. */
interface Site {
  readonly client: Parameters<Shops['start']>[0]['client'];
  /** The one that has the claim. */
  primary(): Promise<Server>;
  /** Resolves when another one has taken its place. */
  replaced(old: Server): Promise<unknown>;
  stop(): Promise<void>;
}

const PATIENT = { timeouts: { read: '15s', write: '15s' } } as const;

async function sentinelSite(): Promise<Site> {
  const group = await startSentinel({ replicas: 1, downAfter: 700 });
  return {
    client: { mode: 'sentinel', sentinel: { name: group.name, nodes: group.addrs }, ...PATIENT },
    primary: () => group.primary(),
    replaced: (old) => group.replaced(old),
    stop: () => group.stop(),
  };
}

async function clusterSite(): Promise<Site> {
  const cluster = await startCluster({ nodeTimeout: 700 });
  return {
    client: { mode: 'cluster', nodes: cluster.addrs, ...PATIENT },
    primary: async () => {
      for (const node of await cluster.primaries()) if (Number(await node.command('DBSIZE')) > 0) return node;
      throw new Error('No node has the claim.');
    },
    replaced: (old) =>
      until(async () => (await cluster.primaries()).length === 3 && !(await cluster.primaries()).includes(old), {
        what: 'its replica has taken over',
        timeout: 30_000,
      }),
    stop: () => cluster.stop(),
  };
}

describeWithServers('1,000 duplicates while the primary dies', () => {
  let site: Site;
  let all: Shops;

  beforeAll(() => {
    all = shops();
  });
  afterEach(async () => {
    await all.end();
    await site.stop();
  });
  afterAll(async () => {
    await all.remove();
    expect(leftovers()).toEqual([]);
  });

  it.each([
    ['of a sentinel group', sentinelSite],
    ['of a shard of a cluster', clusterSite],
  ])('run the handler once, as long as the claim had reached the replica: %s', async (_of, startSite) => {
    site = await startSite();
    let runs = 0;
    let finish: (answer: unknown) => void = () => undefined;
    const work = (): Promise<unknown> => {
      runs += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const setup = { client: site.client, idempotency: { lease: '30s' } } as const;
    const four = (await Promise.all([0, 1, 2, 3].map(() => all.start(setup, work)))) as readonly Shop[];
    const key = 'key';
    const answers: Answer[] = [];
    const ask = async (index: number): Promise<void> => {
      answers.push(await (four[index % 4] as Shop).order(key, { a: 1 }));
    };
    const first = ask(0);
    await until(() => runs === 1, { what: 'the handler runs' });
    const old = await site.primary();
    // The documented exception: a claim the replica has not got is lost with the primary.
    await old.command('WAIT', 1, 5_000);
    const others = Array.from({ length: DUPLICATES - 1 }, (_, index) => ask(index + 1));
    await until(() => answers.length > 100, { what: 'duplicates are refused' });
    await old.kill();
    await site.replaced(old);
    await Promise.all(others);
    finish({ orderId: 1 });
    await first;

    expect(runs).toBe(1);
    expect(answers).toHaveLength(DUPLICATES);
    // A primary that is away for longer than a deadline would be a 503; nothing else is.
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => ![201, 409, 503].includes(status))).toEqual([]);
    for (const shop of four) {
      expect(await shop.order(key, { a: 1 })).toMatchObject({ status: 201, replayed: true, body: { orderId: 1 } });
      expect(shop.rejections).toEqual([]);
    }
    expect(runs).toBe(1);
  });
});
