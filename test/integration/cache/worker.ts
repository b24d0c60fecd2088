import type { FromWorker, Outcome, Setup, State, ToWorker, Work } from './worker-protocol.js';

/** A process of its own with caches in it. Runs compiled, beside the library. */

const REAL_DATE = Date;
const BEAT = 10;

const send = (message: FromWorker): void => void process.send?.(message);
const loads = new Map<number, (outcome: Outcome) => void>();
const rejections: string[] = [];
let asked = 0;

process.on('unhandledRejection', (reason) => rejections.push(String((reason as Error)?.stack ?? reason)));
process.on('disconnect', () => process.exit());

/** Asks the parent for a value. */
async function load(key: string, isPut: boolean): Promise<unknown> {
  asked += 1;
  const id = asked;
  const outcome = await new Promise<Outcome>((resolve) => {
    loads.set(id, resolve);
    send({ kind: 'load', id, key, isPut });
  });
  loads.delete(id);
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome.value;
}

function shiftClock(milliseconds: number): void {
  if (milliseconds === 0) return;
  globalThis.Date = class extends REAL_DATE {
    constructor(...args: [] | [string | number | Date]) {
      if (args.length === 0) super(REAL_DATE.now() + milliseconds);
      else super(args[0]);
    }
    static override now(): number {
      return REAL_DATE.now() + milliseconds;
    }
  } as DateConstructor;
}

/** How late timers are: what a busy machine adds to every bound. */
class Heartbeat {
  #last = performance.now();
  #longest = 0;

  constructor() {
    setInterval(() => this.#beat(), BEAT);
  }

  read(): number {
    this.#beat();
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  #beat(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last - BEAT);
    this.#last = now;
  }
}

async function open({ client: options, caching, clock }: Setup): Promise<Work> {
  shiftClock(clock);
  // The library stands beside the compiled form of this file.
  const library = './index.js';
  const { CacheService, createClient, events, resolveSettings } = (await import(
    library
  )) as typeof import('../../../lib/index.js');
  const news: Record<string, number> = {};
  let covered = false;
  events.cache.subscribe(({ kind }) => {
    news[kind] = (news[kind] ?? 0) + 1;
    if (kind === 'near-on' || kind === 'near-off') covered = kind === 'near-on';
  });
  const client = createClient(resolveSettings({ drain: 100, ...options }, {}).settings);
  await client.connect();
  const service = new CacheService(client, caching);
  const heartbeat = new Heartbeat();
  service.cache();
  return {
    read: (key, times, settings) => {
      const loader = (): Promise<unknown> => load(key, false);
      return Promise.all(Array.from({ length: times }, () => service.getOrLoad(key, loader, settings as object)));
    },
    lookup: (key) => service.lookup(key),
    set: (key, value, settings) => service.set(key, value, settings as object),
    put: (key, settings) => service.cache().put(key, () => load(key, true), settings as object),
    evict: (...keys) => service.evict(...keys),
    invalidateTags: (...tags) => service.invalidateTags(...tags),
    clear: () => service.clear(),
    idle: () => service.idle(),
    state: (): Promise<State> =>
      Promise.resolve({
        near: service.cache().near,
        covered,
        news: { ...news },
        rejections,
        lag: heartbeat.read(),
        time: Date.now(),
      }),
  };
}

async function outcomeOf(work: Work, name: keyof Work, args: readonly unknown[]): Promise<Outcome> {
  try {
    return { value: await (work[name] as (...words: readonly unknown[]) => Promise<unknown>)(...args) };
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown };
    return { error: message, code };
  }
}

let work: Work | undefined;
process.on('message', (message: ToWorker) => {
  if (message.kind === 'loaded') loads.get(message.id)?.(message);
  if (message.kind === 'setup') {
    open(message.setup).then(
      (opened) => {
        work = opened;
        send({ kind: 'ready' });
      },
      (error: unknown) => {
        process.stderr.write(`${String((error as Error).stack)}\n`);
        process.exit(1);
      },
    );
  }
  if (message.kind === 'ask' && work) {
    const { id } = message;
    void outcomeOf(work, message.work, message.args).then((outcome) => send({ kind: 'done', id, ...outcome }));
  }
});
