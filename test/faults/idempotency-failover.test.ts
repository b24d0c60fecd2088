import { describeWithServers, leftovers, startSentinel, until } from '../support/index.js';
import type { SentinelGroup } from '../support/index.js';
import { shops } from '../integration/idempotency/shops.js';
import type { Answer, Shop, Shops } from '../integration/idempotency/shops.js';

// Processes and servers on a machine that may be busy.
import.meta.jest.setTimeout(120_000);

const DUPLICATES = 1_000;

describeWithServers('1,000 duplicates while the primary dies', () => {
  let group: SentinelGroup;
  let all: Shops;

  beforeAll(async () => {
    group = await startSentinel({ replicas: 1, downAfter: 700 });
    all = shops();
  });
  afterAll(async () => {
    await all.remove();
    await group.stop();
    expect(leftovers()).toEqual([]);
  });

  it('run the handler once, as long as the claim had reached the replica', async () => {
    let runs = 0;
    let finish: (answer: unknown) => void = () => undefined;
    const work = (): Promise<unknown> => {
      runs += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const client = {
      mode: 'sentinel',
      sentinel: { name: group.name, nodes: group.addrs },
      timeouts: { read: '15s', write: '15s' },
    };
    const setup = { client, idempotency: { lease: '30s' } } as const;
    const four = (await Promise.all([0, 1, 2, 3].map(() => all.start(setup, work)))) as readonly Shop[];
    const key = 'key';
    const answers: Answer[] = [];
    const ask = async (index: number): Promise<void> => {
      answers.push(await (four[index % 4] as Shop).order(key, { a: 1 }));
    };
    const first = ask(0);
    await until(() => runs === 1, { what: 'the handler runs' });
    const old = await group.primary();
    // The documented exception: a claim the replica has not got is lost with the primary.
    await old.command('WAIT', 1, 5_000);
    const others = Array.from({ length: DUPLICATES - 1 }, (_, index) => ask(index + 1));
    await until(() => answers.length > 100, { what: 'duplicates are refused' });
    await old.kill();
    await group.replaced(old);
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
