import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServers, leftovers, startServer } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { Model } from './model.js';
import { processes } from './processes.js';
import type { CacheProcess, LoadRequest, Processes } from './processes.js';
import { Random } from './random.js';
import type { PlainLoadOptions } from './worker-protocol.js';

/** How long each of the runs takes; more for a search. */
const SECONDS = Number(process.env['CACHE_MODEL_SECONDS'] ?? 6);
/** What is done, and in which order; not how the processes and the server interleave. */
const SEED = Number(process.env['CACHE_MODEL_SEED'] ?? Date.now() % 1_000_000);

/** Milliseconds another process may lag behind, when nobody keeps the processor from anyone. */
const BOUND = 100;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Every key has two tags; each tag is on several keys. */
const tagsOf = (key: string): string[] => ['all', `half ${KEYS.indexOf(key) % 2}`];
/** Callers that go on and on, each in a process of its choice. */
const CALLERS = 24;

describeWithServers(`two processes and chance (CACHE_MODEL_SEED=${SEED})`, () => {
  let all: Processes;
  let server: Server;

  beforeAll(async () => {
    all = processes();
    server = await startServer();
  });
  afterEach(async () => {
    await all.end();
    await server.command('FLUSHALL');
  });
  afterAll(async () => {
    await all.remove();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it.each([
    ['kept near too', true],
    ['without a near cache', false],
  ])(
    '[C1] [C6] no read gives what was invalidated before it began: %s',
    async (_title, near) => {
      const run = new Run(new Random(SEED), server);
      const setup = {
        client: { host: server.host, port: server.port },
        caching: { near, lease: 500, staleFor: '1s', staleRetry: 10 } as const,
      };
      const workers = await Promise.all([1, 2].map(() => all.start(setup, (request) => run.load(request))));
      await run.go(workers, SECONDS * 1_000);
      const states = await Promise.all(workers.map((worker) => worker.ask('state')));
      process.stdout.write(
        `${near ? 'near' : 'no near'}: seed ${SEED}, ${run.model.reads} reads, ${run.writes} writes, ${run.rejected} rejected, ` +
          `longest lag ${run.model.longest.toFixed(1)} ms\n`,
      );
      expect(run.model.lies).toEqual([]);
      expect(states.flatMap(({ rejections }) => rejections)).toEqual([]);
      // Otherwise nothing was tried.
      expect(run.model.reads).toBeGreaterThan(SECONDS * 50);
      expect(run.writes).toBeGreaterThan(SECONDS * 10);
      const happened = new Set(states.flatMap(({ news }) => Object.keys(news)));
      const wanted = [
        'hit',
        'miss',
        'fill-refused',
        'evict',
        'invalidate',
        'clear',
        ...(near ? ['near-hit', 'near-off'] : []),
      ];
      expect(wanted.filter((kind) => !happened.has(kind))).toEqual([]);
    },
    SECONDS * 1_000 + 30_000,
  );
});

/** Callers that read, write and break things at random. */
class Run {
  readonly model = new Model();
  writes = 0;
  rejected = 0;
  readonly #random: Random;
  readonly #server: Server;
  /** Writes under way. Who sets a value by hand must be alone: nobody could say whose is newer. */
  readonly #writing = new Map<string, number>();
  readonly #setting = new Set<string>();

  constructor(random: Random, server: Server) {
    this.#random = random;
    this.#server = server;
  }

  async go(workers: readonly CacheProcess[], milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    const call = async (): Promise<void> => {
      while (performance.now() < until) {
        const worker = this.#random.below(workers.length);
        await this.#act(workers[worker] as CacheProcess, worker, workers);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, call));
  }

  /** The loader: slow at times, and at times it fails. */
  async load({ key, isPut }: LoadRequest): Promise<number> {
    if (this.#random.next() < 0.5) await sleep(this.#random.below(15));
    if (!isPut && this.#random.next() < 0.05) throw new Error('The loader fails.');
    const version = isPut ? this.model.change(key) : this.model.version(key);
    if (this.#random.next() < 0.5) await sleep(this.#random.below(15));
    return version;
  }

  async #act(worker: CacheProcess, index: number, workers: readonly CacheProcess[]): Promise<void> {
    const chance = this.#random.next();
    const key = this.#random.pick(KEYS);
    if (chance < 0.83) await this.#read(worker, index, key, workers);
    else if (chance < 0.92) await this.#write('evict', index, [key], () => worker.ask('evict', key));
    else if (chance < 0.95) await this.#put(worker, index, key);
    else if (chance < 0.97) await this.#set(worker, index, key);
    else if (chance < 0.983) await this.#invalidate(worker, index);
    else if (chance < 0.986) await this.#write('clear', index, KEYS, () => worker.ask('clear'));
    else if (chance < 0.997) await this.#order('PEXPIRE', `cache:default:1{:${key}}`, 5);
    else await this.#order('CLIENT', 'KILL', 'TYPE', this.#random.pick(['normal', 'pubsub']));
    if (this.#random.next() < 0.3) await sleep(this.#random.below(5));
  }

  /** From the side; connections of the tests are killed as well. */
  async #order(...words: (string | number)[]): Promise<void> {
    await this.#server.command(...words).catch(() => undefined);
  }

  async #read(worker: CacheProcess, index: number, key: string, workers: readonly CacheProcess[]): Promise<void> {
    const options: PlainLoadOptions = {
      tags: tagsOf(key),
      ttl: this.#random.pick([20, 100, 1_000]),
      refreshAhead: this.#random.pick([0, 50]),
    };
    const begunAt = performance.now();
    let version: unknown;
    try {
      [version] = await worker.ask('read', key, 1, options);
    } catch {
      return;
    }
    // A process that was kept from running hears late of what has changed: that is the machine's, and on top.
    const before = this.model.lies.length;
    this.model.judge(key, version as number, index, begunAt, BOUND);
    if (this.model.lies.length === before) return;
    const { lag } = await (workers[index] as CacheProcess).ask('state');
    for (const lie of this.model.lies.splice(before)) {
      if (lie.by === lie.reader || lie.after > BOUND + lag) this.model.lies.push(lie);
    }
  }

  /** The data change, then the caches are told. */
  async #write(how: string, index: number, keys: readonly string[], tell: () => Promise<unknown>): Promise<void> {
    await this.#among(keys, async () => {
      const versions = keys.map((key) => this.model.change(key));
      try {
        await tell();
        keys.forEach((key, at) => this.model.acknowledge(key, versions[at] as number, index, how));
      } catch {
        this.rejected += 1;
      }
    });
  }

  /** Writes while nobody sets one of the keys by hand. */
  async #among(keys: readonly string[], write: () => Promise<void>): Promise<void> {
    while (keys.some((key) => this.#setting.has(key))) await sleep(1);
    const count = (by: number): void => {
      for (const key of keys) this.#writing.set(key, (this.#writing.get(key) ?? 0) + by);
    };
    count(1);
    this.writes += 1;
    await write();
    count(-1);
  }

  async #invalidate(worker: CacheProcess, index: number): Promise<void> {
    const tag = this.#random.pick(['all', 'half 0', 'half 1']);
    const keys = KEYS.filter((key) => tagsOf(key).includes(tag));
    await this.#write('invalidateTags', index, keys, () => worker.ask('invalidateTags', tag));
  }

  async #put(worker: CacheProcess, index: number, key: string): Promise<void> {
    const failures = async (): Promise<number> => (await worker.ask('state')).news['background-error'] ?? 0;
    await this.#among([key], async () => {
      try {
        // That it could neither be stored nor evicted is told by an event, not by the promise.
        const before = await failures();
        const version = await worker.ask('put', key, { tags: tagsOf(key), ttl: 200 });
        if ((await failures()) === before) this.model.acknowledge(key, version as number, index, 'put');
      } catch {
        this.rejected += 1;
      }
    });
  }

  async #set(worker: CacheProcess, index: number, key: string): Promise<void> {
    if (this.#setting.has(key) || (this.#writing.get(key) ?? 0) > 0) return;
    this.#setting.add(key);
    this.writes += 1;
    const version = this.model.change(key);
    try {
      await worker.ask('set', key, version, { tags: tagsOf(key), ttl: 200 });
      this.model.acknowledge(key, version, index, 'set');
    } catch {
      this.rejected += 1;
    }
    this.#setting.delete(key);
  }
}
