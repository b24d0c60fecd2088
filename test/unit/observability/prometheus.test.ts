import { register, Registry } from 'prom-client';
import { FakeClock, RecordingDriver, TestStore } from '../../../lib/testing/index.js';
import { PrometheusMetrics } from '../../../lib/prometheus/index.js';
import { DEFAULT_BUCKETS } from '../../../lib/prometheus/latency-histogram.js';
import {
  CacheService,
  createClient,
  LockService,
  IdempotencyService,
  RateLimiter,
  resolveSettings,
  ServerBusyError,
} from '../../../lib/index.js';
import { endObservation, observedClient } from './observed-client.js';

let registry: Registry;
let metrics: PrometheusMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = new PrometheusMetrics({ register: registry });
});

afterEach(async () => {
  metrics.close();
  await endObservation();
});

/** One line of the exposition. */
interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format strictly: a line that is none of it fails the test. */
function parse(text: string): { lines: Line[]; types: Record<string, string> } {
  const lines: Line[] = [];
  const types: Record<string, string> = {};
  for (const line of text.split('\n').filter(Boolean)) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type) {
      expect(types).not.toHaveProperty([type[1] as string]);
      types[type[1] as string] = type[2] as string;
      continue;
    }
    if (/^# HELP \S+ \S/.test(line)) continue;
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    expect([line, sample]).not.toContain(null);
    const labels = Array.from(
      (sample?.[2] ?? '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\.)*)"(?:,|$)/g),
      ([, k, v]) => [k, v],
    );
    lines.push({
      name: sample?.[1] as string,
      labels: Object.fromEntries(labels) as Record<string, string>,
      value: sample?.[3] === '+Inf' ? Infinity : Number(sample?.[3]),
    });
  }
  return { lines, types };
}

async function lines(name: string, labels: Readonly<Record<string, string>> = {}): Promise<Line[]> {
  const all = parse(await registry.metrics()).lines;
  return all.filter(
    (line) => line.name === name && Object.entries(labels).every(([label, value]) => line.labels[label] === value),
  );
}

async function value(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const found = await lines(name, labels);
  expect(found.length).toBeLessThan(2);
  return found[0]?.value;
}

describe('[OBS-2] PrometheusMetrics', () => {
  it('shows a histogram of durations that a scraper accepts', async () => {
    const client = await observedClient({ mode: 'embedded', name: 'shop' }, { interceptors: [metrics] });
    for (let call = 0; call < 5; call += 1) await client.get('key');
    await client.set('key', 'value');

    const text = await registry.metrics();
    expect(parse(text).types['valkey_command_duration_seconds']).toBe('histogram');
    const own = { client: 'shop', command: 'GET' };
    const buckets = await lines('valkey_command_duration_seconds_bucket', own);
    expect(buckets.map(({ labels }) => labels['le'])).toEqual([...DEFAULT_BUCKETS.map(String), '+Inf']);
    expect(buckets.every(({ value: count }, index) => count >= (buckets[index - 1]?.value ?? 0))).toBe(true);
    expect(buckets.at(-1)?.value).toBe(5);
    expect(await value('valkey_command_duration_seconds_count', own)).toBe(5);
    const sum = await value('valkey_command_duration_seconds_sum', own);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(1);
    expect(await value('valkey_command_duration_seconds_count', { client: 'shop', command: 'SET' })).toBe(1);
  });

  it('puts a duration into the buckets it belongs to', async () => {
    const clock = new FakeClock();
    const driver = new RecordingDriver(new TestStore({ clock }).driver(), clock).delay('GET', '1s');
    const few = new Registry();
    const own = new PrometheusMetrics({ register: few, buckets: [0.02, 60], prefix: 'my_' });
    const client = await observedClient(undefined, { driver, interceptors: [own] });

    await client.set('key', 'value');
    const answer = client.get('key');
    const startedAt = performance.now();
    while (performance.now() - startedAt < 25) await new Promise(setImmediate);
    clock.advance('1s');
    await answer;

    const text = await few.metrics();
    own.close();
    const counts = parse(text).lines.filter(({ name }) => name === 'my_command_duration_seconds_bucket');
    expect(counts.map(({ labels, value: count }) => [labels['command'], labels['le'], count])).toEqual([
      ['SET', '0.02', 1],
      ['SET', '60', 1],
      ['SET', '+Inf', 1],
      ['GET', '0.02', 0],
      ['GET', '60', 1],
      ['GET', '+Inf', 1],
    ]);
  });

  it('counts errors by command and code', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    await client.set('key', 'value');
    await client.lpush('key', 'x').catch(() => undefined);
    await client.lpush('key', 'x').catch(() => undefined);
    await client.close();
    await client.get('key').catch(() => undefined);

    const name = 'valkey_command_errors_total';
    expect(await value(name, { client: 'default', command: 'LPUSH', code: 'VALKEY_REPLY' })).toBe(2);
    expect(await value(name, { command: 'GET', code: 'VALKEY_CLIENT_CLOSED' })).toBe(1);
    expect(await lines(name)).toHaveLength(2);
  });

  it('shows the sizes of pipelines and transactions', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    await client.pipeline((p) => [p.get('a'), p.get('b'), p.get('c')]);
    await client.transaction((t) => [t.get('a'), t.get('b')]);

    expect(await value('valkey_pipeline_size_sum', { kind: 'pipeline' })).toBe(3);
    expect(await value('valkey_pipeline_size_count', { kind: 'transaction' })).toBe(1);
    expect(await value('valkey_pipeline_size_bucket', { kind: 'pipeline', le: '2' })).toBe(0);
    expect(await value('valkey_pipeline_size_bucket', { kind: 'pipeline', le: '5' })).toBe(1);
  });

  it('shows what is under way, connected nodes and circuits at the moment of the scrape', async () => {
    const clock = new FakeClock();
    const driver = new RecordingDriver(new TestStore({ clock }).driver(), clock).hang('BLPOP').hang('GET');
    const client = await observedClient(undefined, { driver, interceptors: [metrics] });
    const waiting = [client.get('a'), client.get('b')].map((answer) => answer.catch(() => undefined));

    expect(await value('valkey_operations_under_way', { client: 'default' })).toBe(2);
    expect(await value('valkey_nodes_connected', { client: 'default', role: 'primary' })).toBe(1);
    const state = async (): Promise<[string | undefined, number][]> =>
      (await lines('valkey_breaker_state', { client: 'default', route: 'embedded' })).map(({ labels, value: on }) => [
        labels['state'],
        on,
      ]);
    expect(await state()).toEqual([
      ['closed', 1],
      ['half-open', 0],
      ['open', 0],
      ['isolated', 0],
    ]);
    const release = client.isolate();
    expect((await state()).filter(([, on]) => on === 1)).toEqual([['isolated', 1]]);
    release();
    expect(await value('valkey_breaker_transitions_total', { state: 'isolated' })).toBe(1);

    driver.goDown();
    expect(await value('valkey_nodes_connected', { role: 'primary' })).toBe(0);
    await client.close();
    await Promise.all(waiting);
    expect(await value('valkey_operations_under_way', { client: 'default' })).toBe(0);
  });

  it('keeps the number of series bounded, whatever commands are called', async () => {
    // As the client calls it for each command: the store knows no odd ones.
    const error = new ServerBusyError('LOADING', 'LOADING');
    const meter = metrics.forClient({
      client: 'odd',
      clientId: -1,
      underWay: () => 0,
      nodes: () => [],
      circuits: () => [],
      closed: () => false,
    });
    for (let round = 0; round < 2; round += 1) {
      for (let odd = 0; odd < 1_000; odd += 1) {
        meter.afterCommand?.({ command: `ODD${odd}`, args: [], readOnly: false }, { error, durationMs: 1 });
      }
    }

    const counts = await lines('valkey_command_duration_seconds_count', { client: 'odd' });
    expect(counts).toHaveLength(301);
    expect(counts.find(({ labels }) => labels['command'] === 'OTHER')?.value).toBe(1_400);
    expect(counts.find(({ labels }) => labels['command'] === 'ODD0')?.value).toBe(2);
    expect(await lines('valkey_command_errors_total', { client: 'odd' })).toHaveLength(301);
  });

  it('goes on after the registry was reset', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    const count = (): Promise<number | undefined> => value('valkey_command_duration_seconds_count', { command: 'GET' });
    await client.get('key');
    expect(await count()).toBe(1);

    registry.resetMetrics();
    expect(await count()).toBe(0);
    await client.get('key');

    expect(await count()).toBe(1);
  });

  it('takes part in OpenMetrics, JSON, merged registries and default labels', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    await client.get('key');
    registry.setDefaultLabels({ app: 'shop' });

    expect(await value('valkey_command_duration_seconds_count', { app: 'shop', command: 'GET' })).toBe(1);
    expect(await registry.getMetricsAsJSON()).toContainEqual(
      expect.objectContaining({ name: 'valkey_command_duration_seconds', type: 'histogram', aggregator: 'sum' }),
    );
    expect(await Registry.merge([registry]).metrics()).toContain('valkey_command_duration_seconds_count');
  });

  it('counts only clients it was given to, each under its name', async () => {
    const one = await observedClient({ mode: 'embedded', name: 'one' }, { interceptors: [metrics] });
    const other = await observedClient({ mode: 'embedded', name: 'other' }, { interceptors: [metrics] });
    const stranger = await observedClient({ mode: 'embedded', name: 'stranger' });
    for (const client of [one, other, stranger]) await client.pipeline((p) => [p.get('key')]);

    const text = await registry.metrics();
    expect((await lines('valkey_pipeline_size_count')).map(({ labels }) => labels['client'])).toEqual(['one', 'other']);
    expect(text).not.toContain('stranger');
  });

  it('shows no key or value', async () => {
    const client = await observedClient({ mode: 'embedded', keyPrefix: 'canary:' }, { interceptors: [metrics] });
    await client.set('canary-key', 'canary-value');
    await client.lpush('canary-key', 'canary-value').catch(() => undefined);

    expect(await registry.metrics()).not.toContain('canary');
  });

  it('[OBS-2] leaves nothing in the registry when closed', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    await client.pipeline((p) => [p.get('a')]);
    metrics.close();
    await client.pipeline((p) => [p.get('a')]);

    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it('uses the global registry by default', async () => {
    const global = new PrometheusMetrics();

    expect(register.getSingleMetric('valkey_command_errors_total')).toBeDefined();
    global.close();
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('[OBS-2] can be made again on the same registry once the clients of the one before are closed', async () => {
    const before = await observedClient(undefined, { interceptors: [metrics] });
    await before.get('key');
    await before.close();

    const again = new PrometheusMetrics({ register: registry });
    const client = await observedClient(undefined, { interceptors: [again] });
    await client.set('key', 'value');

    const name = 'valkey_command_duration_seconds_count';
    expect((await lines(name)).map(({ labels }) => labels['command'])).toEqual(['SET']);
    // What closes late does not take away what is another's by now.
    metrics.close();
    expect(await lines(name)).toHaveLength(1);
    again.close();
  });

  it('[OBS-2] refuses a second one on the registry of one that is in use, says what to do, and leaves no trace', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    const names = registry.getMetricsAsArray().map((metric) => (metric as unknown as { name: string }).name);

    expect(() => new PrometheusMetrics({ register: registry })).toThrow(
      expect.objectContaining({
        code: 'VALKEY_ARGUMENT_INVALID',
        message: expect.stringMatching(
          /valkey_command_duration_seconds.*give all of them the same.*close\(\)/,
        ) as string,
      }),
    );
    const others = new Registry();
    others.registerMetric(registry.getSingleMetric(names.at(-1) as string) as never);
    expect(() => new PrometheusMetrics({ register: others })).toThrow(names.at(-1));

    expect(others.getMetricsAsArray()).toHaveLength(1);
    await client.get('key');
    expect(await lines('valkey_command_duration_seconds_count')).toHaveLength(1);
    new PrometheusMetrics({ register: registry, prefix: 'my_' }).close();
    expect(registry.getMetricsAsArray()).toHaveLength(names.length);
  });

  it.each([[[]], [[1, 1]], [[0.1, 0.01]], [[0, 1]]])('refuses buckets %j', (buckets) => {
    expect(() => new PrometheusMetrics({ register: new Registry(), buckets })).toThrow('ascending order');
  });

  it('shows a closed client without connected nodes', async () => {
    const { settings } = resolveSettings({ mode: 'embedded', name: 'gone' }, {});
    const client = createClient(settings, { interceptors: [metrics] });
    await client.connect();
    await client.get('key');
    await client.close();

    expect(await lines('valkey_nodes_connected', { client: 'gone' })).toEqual([
      expect.objectContaining({ value: 0 }) as Line,
    ]);
  });
});

describe('[OBS-2] figures of caches', () => {
  it('count hits, misses and loads by the name of the cache, and tell what is kept near', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    const caching = new CacheService(client, { caches: { products: {} } });
    const products = caching.cache('products');
    for (let call = 0; call < 3; call += 1) {
      await products.getOrLoad('k', () => 'v');
      await caching.idle();
    }
    await products.evict('k');
    await expect(products.getOrLoad('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    await products.getOrLoad('k', () => 'v');
    await caching.idle();
    await products.get('k');
    const { lines } = parse(await registry.metrics());
    const figure = (name: string, labels: object): number | undefined =>
      lines.find((line) => line.name === name && Object.entries(labels).every(([k, v]) => line.labels[k] === v))?.value;
    const cache = 'products';
    expect(figure('valkey_cache_requests_total', { cache, result: 'miss' })).toBe(3);
    expect(figure('valkey_cache_requests_total', { cache, result: 'hit' })).toBe(2);
    expect(figure('valkey_cache_requests_total', { cache, result: 'near-hit' })).toBe(1);
    expect(figure('valkey_cache_load_duration_seconds_count', { cache, failed: 'true' })).toBe(1);
    expect(figure('valkey_cache_load_duration_seconds_count', { cache, failed: 'false' })).toBe(2);
    expect(figure('valkey_cache_events_total', { cache, kind: 'evict' })).toBe(1);
    expect(figure('valkey_cache_near_entries', { cache })).toBe(1);
    expect(figure('valkey_cache_near_bytes', { cache })).toBeGreaterThan(0);
  });
});

describe('[OBS-2] figures of rate limits', () => {
  it('count decisions by limit, outcome and who decided', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    const limiter = new RateLimiter(client);
    const limits = { limit: 1, window: '1m' } as const;
    for (let call = 0; call < 3; call += 1) await limiter.consume('anne', limits, { name: 'login' });
    await limiter.peek('anne', limits, { name: 'login' });
    const found = await lines('valkey_limit_decisions_total');

    expect(found.map(({ labels: { limit, outcome, by }, value }) => [limit, outcome, by, value])).toEqual([
      ['login', 'admitted', 'store', 1],
      ['login', 'refused', 'store', 1],
      ['login', 'refused', 'memory', 1],
    ]);
  });

  it('keep the number of series bounded, whatever limits are called, and show no subject', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    const limiter = new RateLimiter(client);
    const limits = { limit: 1, window: '1m' } as const;
    for (let name = 0; name < 350; name += 1) await limiter.consume('anne', limits, { name: `limit-${name}` });

    expect(await lines('valkey_limit_decisions_total')).toHaveLength(301);
    expect(await lines('valkey_limit_decisions_total', { limit: 'OTHER' })).toMatchObject([{ value: 50 }]);
    expect(await registry.metrics()).not.toContain('anne');
  });
});

describe('[OBS-2] figures of idempotent work', () => {
  it('count what became of each call, by operation, bounded and without keys', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    const service = new IdempotencyService(client);
    for (let call = 0; call < 3; call += 1) await service.run('anne', 1, () => 1, { operation: 'transfer' });
    for (let call = 0; call < 350; call += 1) await service.run(`a${call}`, 1, () => 1, { operation: `o${call}` });
    const found = await lines('valkey_idempotency_outcomes_total', { operation: 'transfer' });

    expect(found.map(({ labels: { outcome }, value }) => [outcome, value])).toEqual([
      ['completed', 1],
      ['replayed', 2],
    ]);
    expect(await lines('valkey_idempotency_outcomes_total', { operation: 'OTHER' })).toMatchObject([{ value: 51 }]);
    expect(await registry.metrics()).not.toContain('anne');
  });
});

describe('[OBS-2] figures of locks', () => {
  it('count what becomes of them, and how long they are waited for and held', async () => {
    const client = await observedClient(undefined, { interceptors: [metrics] });
    const locks = new LockService(client);
    const lock = await locks.acquire('anne');
    await locks.tryAcquire('anne');
    await lock.release();
    await locks.using('anne', () => client.del('lock:{:anne}')).catch(() => undefined);
    const counted = await lines('valkey_lock_events_total');

    expect(Object.fromEntries(counted.map(({ labels: { kind }, value }) => [kind, value]))).toEqual({
      acquired: 2,
      'not-acquired': 1,
      released: 1,
      lost: 1,
    });
    expect(await lines('valkey_lock_wait_seconds_count', { kind: 'acquired' })).toMatchObject([{ value: 2 }]);
    expect(await lines('valkey_lock_hold_seconds_count', { kind: 'released' })).toMatchObject([{ value: 1 }]);
    expect(await registry.metrics()).not.toContain('anne');
  });
});
