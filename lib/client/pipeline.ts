import { ArgumentError } from '../core/errors.js';
import { CommandQueue } from './command-queue.js';
import type { QueueEntry, Results } from './command-queue.js';
import { launchItem } from './request.js';
import type { Dispatching } from './tenancy/tenant-dispatcher.js';
import type { LaunchItem } from './request.js';
import { PipelineError } from './pipeline-error.js';
import type { Settled } from './pipeline-error.js';
import type { Scope } from './scope.js';

/** Sends what was queued and waits for every outcome, in order. */
export async function executePipeline(
  dispatcher: Dispatching,
  scope: Scope,
  entries: readonly QueueEntry[],
): Promise<readonly Settled<unknown>[]> {
  const items: LaunchItem[] = [];
  const outcomes = entries.map((entry) => {
    const { request } = entry;
    if (!request) return Promise.resolve({ ok: true, value: entry.value } satisfies Settled<unknown>);
    return new Promise<Settled<unknown>>((resolve) => {
      items.push(
        launchItem(request, {
          resolve: (value) => resolve({ ok: true, value }),
          reject: (error) => resolve({ ok: false, error }),
        }),
      );
    });
  });
  const finish = dispatcher.reporter.group('pipeline', entries.length);
  dispatcher.launch(items, scope);
  const results = await Promise.all(outcomes);
  finish(countFailed(results));
  return results;
}

/** How many of `results` are errors. */
export function countFailed(results: readonly Settled<unknown>[]): number {
  return results.filter((result) => !result.ok).length;
}

/**
 * The results in the shape the caller returned from its function, or a PipelineError if any failed; if the caller's own
 * signal ended it, its reason.
 */
export function shapeResults<T>(built: T, results: readonly Settled<unknown>[], { watch }: Scope): Results<T> {
  if (countFailed(results) > 0) throw watch?.aborted === true ? watch.reason : new PipelineError(results);
  return pick(built, (entry) => {
    const result = results[entry.index];
    return result?.ok === true ? result.value : undefined;
  }) as Results<T>;
}

/** Each result with whether it is one, in the shape the caller returned. */
export function shapeSettled<T>(built: T, results: readonly Settled<unknown>[]): SettledResults<T> {
  return pick(built, (entry) => results[entry.index]) as SettledResults<T>;
}

/** {@link Results}, each in a {@link Settled}. */
export type SettledResults<T> = T extends readonly unknown[]
  ? { -readonly [K in keyof T]: Settled<Results<[T[K]]> extends [infer R] ? R : never> }
  : Settled<Results<T>>;

/**
 * Refuses, before anything is sent, what is not made of this queue's commands: a promise (of an async function whose
 * commands would come too late), a command of another queue, nothing at all.
 */
export function checkBuilt(built: unknown, entries: readonly QueueEntry[]): void {
  const items: readonly unknown[] = Array.isArray(built) ? built : [built];
  const wrong = items.some((item) => {
    const { index } = (item ?? {}) as Partial<QueueEntry>;
    return index === undefined || entries[index] !== item;
  });
  if (!wrong) return;
  throw new ArgumentError(
    'The function given to pipeline() or transaction() must return a command it has queued, or a list of them: p => [p.get(key), p.incr(other)]. It must not be async; to read first, use transaction({ watch }, …). Nothing was sent.',
    { subject: 'pipeline' },
  );
}

function pick(built: unknown, of: (entry: QueueEntry) => unknown): unknown {
  return Array.isArray(built) ? built.map((entry: QueueEntry) => of(entry)) : of(built as QueueEntry);
}

/** What a queued command stands for. */
type ResultOf<Q> = Q extends { readonly __result?: infer R } ? R : never;

/** The methods of a queue whose results a chain collects. */
type QueueMethod = {
  [K in keyof CommandQueue]: CommandQueue[K] extends (...args: never) => { readonly __result?: unknown } ? K : never;
}[keyof CommandQueue];

/**
 * A queue's method with the chain as its result. Of an overloaded method both signatures are kept; where there is only
 * one, the compiler leaves `A1` open.
 */
type ChainedMethod<F, Collected extends unknown[]> = F extends {
  (...args: infer A1 extends readonly unknown[]): infer Q1;
  (...args: infer A2 extends readonly unknown[]): infer Q2;
}
  ? readonly unknown[] extends A1
    ? (...args: A2) => ChainedPipeline<[...Collected, ResultOf<Q2>]>
    : {
        (...args: A1): ChainedPipeline<[...Collected, ResultOf<Q1>]>;
        (...args: A2): ChainedPipeline<[...Collected, ResultOf<Q2>]>;
      }
  : F extends (...args: infer A extends readonly unknown[]) => infer Q
    ? (...args: A) => ChainedPipeline<[...Collected, ResultOf<Q>]>
    : never;

/** A pipeline in chained style: each command method gives the chain back, `exec()` the results in order. */
export type ChainedPipeline<Collected extends unknown[] = []> = {
  readonly [K in QueueMethod]: ChainedMethod<CommandQueue[K], Collected>;
} & {
  /** Sends everything; rejects with a PipelineError if any command failed. */
  exec(): Promise<Collected>;
  /** How many commands are queued. */
  readonly length: number;
};

/** Starts a chain over a fresh queue. */
export function chainPipeline(
  queue: CommandQueue,
  execute: (queue: CommandQueue) => Promise<unknown[]>,
): ChainedPipeline {
  const chain: object = new Proxy(queue, {
    get(target, name) {
      if (name === 'exec') return () => execute(target);
      if (name === 'length') return target.entries.length;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        Reflect.apply(member, target, args);
        return chain;
      };
    },
  });
  return chain as ChainedPipeline;
}
