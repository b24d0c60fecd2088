import { describeWithServers, leftovers, startServer, until } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { shops } from './shops.js';
import type { Answer, Shop, Shops } from './shops.js';

// Processes on a machine that may be busy.
import.meta.jest.setTimeout(60_000);

describeWithServers('idempotent routes of several processes', () => {
  let server: Server;
  let all: Shops;
  let client: Readonly<Record<string, unknown>>;
  let keys = 0;
  const freshKey = (): string => `key-${(keys += 1)}`;

  beforeAll(async () => {
    server = await startServer();
    client = { host: server.host, port: server.port };
    all = shops();
  });
  afterEach(() => all.end());
  afterAll(async () => {
    await all.remove();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it.each(['Express', 'Fastify'] as const)(
    '[L10] after a SIGKILL between claim and result a retry runs when the lease is over, and gets 409 with Retry-After until then: %s',
    async (framework) => {
      const setup = { framework, client, idempotency: { ttl: '1h', lease: '3s' } } as const;
      const seen: Shop[] = [];
      const hang = new Promise<never>(() => undefined);
      const first = await all.start(setup, (_body, shop) => {
        seen.push(shop);
        return hang;
      });
      const second = await all.start(setup, (_body, shop) => {
        seen.push(shop);
        return { orderId: 1 };
      });
      const key = freshKey();
      const lost = first.order(key, { a: 1 }).catch((error: Error) => error);
      await until(() => seen.length === 1, { what: 'the first works' });
      await first.end();
      expect(await lost).toMatchObject({ message: 'fetch failed' });

      const refused: Answer[] = [];
      const answer = await until(
        async () => {
          const tried = await second.order(key, { a: 1 });
          if (tried.status === 201) return tried;
          refused.push(tried);
          return undefined;
        },
        { what: 'the retry runs', timeout: 10_000, interval: 50 },
      );

      expect(answer).toMatchObject({ status: 201, replayed: false, body: { orderId: 1 } });
      expect(refused.length).toBeGreaterThan(0);
      for (const { status, retryAfter } of refused) {
        expect(status).toBe(409);
        expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
      }
      expect(seen).toEqual([first, second]);
      expect(await second.order(key, { a: 1 })).toMatchObject({ status: 201, replayed: true, body: { orderId: 1 } });
    },
  );

  it('[L11] work that takes longer than its lease is renewed', async () => {
    const setup = { client, idempotency: { lease: '1s' } } as const;
    let finish: (answer: unknown) => void = () => undefined;
    let runs = 0;
    const work = (): Promise<unknown> => {
      runs += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const first = await all.start(setup, work);
    const second = await all.start(setup, work);
    const key = freshKey();
    const answer = first.order(key, {});
    await until(() => runs === 1, { what: 'it works' });
    const began = performance.now();
    // Several leases long, and never free.
    while (performance.now() - began < 3_000) expect((await second.order(key, {})).status).toBe(409);
    finish({ orderId: 7 });

    expect(await answer).toMatchObject({ status: 201, body: { orderId: 7 } });
    expect(await second.order(key, {})).toMatchObject({ status: 201, replayed: true, body: { orderId: 7 } });
    expect(runs).toBe(1);
  });

  it('[L11] who slept longer than the lease cannot write over the result of another', async () => {
    const setup = { client, idempotency: { lease: '500ms' } } as const;
    let finish: (answer: unknown) => void = () => undefined;
    let isWorking = false;
    const sleeper = await all.start(setup, () => {
      isWorking = true;
      return new Promise((resolve) => (finish = resolve));
    });
    const other = await all.start(setup, () => ({ by: 'other' }));
    const key = freshKey();
    const late = sleeper.order(key, {});
    await until(() => isWorking, { what: 'it works' });
    sleeper.signal('SIGSTOP');
    await until(async () => (await other.order(key, {})).status === 201, { what: 'another does it', interval: 50 });
    finish({ by: 'sleeper' });
    sleeper.signal('SIGCONT');

    // Its own caller gets what it has done; everybody else what is kept.
    expect(await late).toMatchObject({ status: 201, replayed: false, body: { by: 'sleeper' } });
    expect(await other.order(key, {})).toMatchObject({ replayed: true, body: { by: 'other' } });
    await until(() => sleeper.events['lost'] === 1, { what: 'the loss is told' });
  });

  it.each(['Express', 'Fastify'] as const)(
    '[L14] the outcome is kept when the client has gone: %s',
    async (framework) => {
      let finish: (answer: unknown) => void = () => undefined;
      let runs = 0;
      const shop = await all.start({ framework, client }, () => {
        runs += 1;
        return new Promise((resolve) => (finish = resolve));
      });
      const key = freshKey();
      const gone = new AbortController();
      const call = shop.order(key, {}, gone.signal).catch((error: Error) => error.name);
      await until(() => runs === 1, { what: 'it works' });
      gone.abort();
      expect(await call).toBe('AbortError');
      finish({ orderId: 3 });
      await until(() => shop.events['completed'] === 1, { what: 'it is kept' });

      expect(await shop.order(key, {})).toMatchObject({ status: 201, replayed: true, body: { orderId: 3 } });
      expect([runs, shop.rejections]).toEqual([1, []]);
    },
  );

  it('1,000 duplicates at once over four processes run the handler once', async () => {
    let runs = 0;
    const work = (): object => ({ run: (runs += 1) });
    const four = await Promise.all(
      [0, 1, 2, 3].map((index) => all.start({ client, framework: index % 2 === 0 ? 'Fastify' : 'Express' }, work)),
    );
    const key = freshKey();
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => (four[index % 4] as Shop).order(key, { a: 1 })),
    );

    expect(runs).toBe(1);
    expect(answers.filter(({ replayed, status }) => status === 201 && !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
    for (const shop of four) {
      expect(await shop.order(key, { a: 1 })).toMatchObject({ status: 201, replayed: true, body: { run: 1 } });
      expect(shop.rejections).toEqual([]);
    }
  });
});
