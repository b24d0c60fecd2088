import type { Lock } from '../../../lib/index.js';
import type { FromWorker, ToWorker, Work } from './worker-protocol.js';

/** A process of its own with locks in it. Runs compiled, beside the library. */

const send = (message: FromWorker): void => void process.send?.(message);
const rejections: string[] = [];

process.on('unhandledRejection', (reason) => rejections.push(String((reason as Error)?.stack ?? reason)));
process.on('disconnect', () => process.exit());

async function open(options: Readonly<Record<string, unknown>>): Promise<Work> {
  // The library stands beside the compiled form of this file.
  const library = './index.js';
  const { createClient, LockService, resolveSettings } = (await import(
    library
  )) as typeof import('../../../lib/index.js');
  const client = createClient(resolveSettings({ drain: 100, ...options }, {}).settings);
  await client.connect();
  const locks = new LockService(client);
  let begun:
    { readonly lock: Lock; readonly end: () => void; readonly outcome: Promise<string | undefined> } | undefined;
  const ourTurn = async (counter: string): Promise<void> => {
    const before = Number((await client.get(counter)) ?? 0);
    await client.set(counter, before + 1);
  };
  return {
    count: async (name, counter, callers, times, settings) => {
      await Promise.all(
        Array.from({ length: callers }, async () => {
          for (let turn = 0; turn < times; turn += 1) await locks.using(name, () => ourTurn(counter), settings);
        }),
      );
    },
    begin: (name, settings) =>
      new Promise((resolve, reject) => {
        let end = (): void => undefined;
        const ended = new Promise<void>((over) => (end = over));
        const using = locks.using(
          name,
          (lock) => {
            begun = { lock, end, outcome };
            resolve(lock.fencingToken);
            return ended;
          },
          settings,
        );
        using.catch(reject);
        const outcome = using.then(
          () => undefined,
          (error: { readonly code?: string }) => error.code,
        );
      }),
    finish: async () => {
      begun?.end();
      return begun?.outcome;
    },
    write: (key, value) => locks.setFenced(key, value, begun?.lock.fencingToken ?? 0),
    state: () =>
      Promise.resolve({
        lost: (begun?.lock.signal.reason as { readonly code?: string } | undefined)?.code,
        rejections,
      }),
  };
}

let work: Work | undefined;
process.on('message', (message: ToWorker) => {
  if (message.kind === 'setup') {
    open(message.client).then(
      (opened) => {
        work = opened;
        send({ kind: 'ready' });
      },
      (error: unknown) => {
        process.stderr.write(`${String((error as Error).stack)}\n`);
        process.exit(1);
      },
    );
  } else if (work) {
    const { id } = message;
    const run = work[message.work] as (...words: readonly unknown[]) => Promise<unknown>;
    run(...message.args).then(
      (value) => send({ kind: 'done', id, value }),
      (error: unknown) => send({ kind: 'done', id, error: String((error as Error).stack) }),
    );
  }
});
