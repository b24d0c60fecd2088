import { ArgumentError } from '../core/errors.js';
import type { ErrorCode, ValkeyError } from '../core/errors.js';
import type { ClientIdentity, ConnectionLane } from '../core/events.js';
import type { Argument, NodeInfo, Reply } from '../driver/driver.js';
import type { Circuit } from '../resilience/circuit.js';
import { followHook, publishHookError } from './hook-error.js';

/** A command as a caller meant it: without the key prefix, before anything was sent. It is shared: do not change it. */
export interface CommandCall {
  /** Name in upper case: `GET`. */
  readonly command: string;
  readonly args: readonly Argument[];
  /** Whether it changes nothing. */
  readonly readOnly: boolean;
}

/** Goes on with the next interceptor, and in the end sends the command. */
export type NextInterceptor = (call: CommandCall) => Promise<Reply>;

/**
 * Stands around every command: it may change it, answer it itself, try it again, or look at its outcome. What it throws
 * is what the caller gets.
 *
 * @example
 * ```ts
 * class ReadOnlyMode implements CommandInterceptor {
 *   intercept(call: CommandCall, next: NextInterceptor): Promise<Reply> {
 *     if (!call.readOnly) throw new Error('The shop is closed for stocktaking');
 *     return next(call);
 *   }
 * }
 * ```
 */
export interface CommandInterceptor {
  intercept(call: CommandCall, next: NextInterceptor): Promise<Reply>;
}

/** How a command ended, for a hook. */
export interface CommandResult {
  /** `undefined` for success. */
  readonly error: ValkeyError | undefined;
  readonly durationMs: number;
}

/** A connection, for a hook. */
export interface ConnectionInfo {
  /** `host:port`. */
  readonly address: string;
  readonly lane: ConnectionLane;
}

/** A pipeline or transaction, for a hook. */
export interface PipelineInfo {
  readonly kind: 'pipeline' | 'transaction';
  /** Commands in it. */
  readonly size: number;
}

/** A repetition, for a hook. */
export interface RetryInfo {
  readonly route: string;
  /** 1 for the first repetition. */
  readonly attempt: number;
  readonly delayMs: number;
  /** Why the attempt before came to nothing. */
  readonly code: ErrorCode;
}

/** How a command's repetitions ended, for a hook. */
export interface RetryResult {
  readonly route: string;
  /** How often it was tried again. */
  readonly attempt: number;
  /** Of the failure it ended with; `undefined` if it succeeded in the end. */
  readonly code: ErrorCode | undefined;
}

/**
 * Looks on, before and after; any subset of the methods will do. Hooks cost far less than an interceptor, and what one
 * throws changes nothing: it becomes an event on `nestjs-valkey:hook-error`.
 */
export interface CommandHooks {
  beforeCommand?(call: CommandCall): void;
  afterCommand?(call: CommandCall, result: CommandResult): void;
  beforePipeline?(info: PipelineInfo): void;
  afterPipeline?(info: PipelineInfo, result: { readonly failed: number; readonly durationMs: number }): void;
  beforeConnect?(info: ConnectionInfo): void;
  afterConnect?(info: ConnectionInfo, result: { readonly code: ErrorCode | undefined }): void;
  beforeDisconnect?(info: ConnectionInfo): void;
  afterDisconnect?(info: ConnectionInfo): void;
  beforeRetry?(info: RetryInfo): void;
  afterRetry?(result: RetryResult): void;
}

/** A client as an interceptor factory gets to see it. */
export interface ObservedClient extends ClientIdentity {
  /** Operations under way or waiting. */
  readonly underWay: () => number;
  readonly nodes: () => readonly NodeInfo[];
  readonly circuits: () => readonly Circuit[];
  /** Whether it takes no more work. */
  readonly closed: () => boolean;
}

/** Makes an interceptor for each client it is given to: for those that tell clients apart. */
export interface InterceptorFactory {
  forClient(client: ObservedClient): Interceptor;
}

/** Either form, or both in one object. */
export type Interceptor = CommandInterceptor | CommandHooks | (CommandInterceptor & CommandHooks);

/** The names of all hook methods. */
export const HOOKS = [
  'beforeCommand',
  'afterCommand',
  'beforePipeline',
  'afterPipeline',
  'beforeConnect',
  'afterConnect',
  'beforeDisconnect',
  'afterDisconnect',
  'beforeRetry',
  'afterRetry',
] as const satisfies readonly (keyof CommandHooks)[];

export type HookName = (typeof HOOKS)[number];

/**
 * Makes the interceptors of one client. Refuses, when the client is made, what is none: it would otherwise be silent for
 * ever.
 */
export function makeInterceptors(
  given: readonly (Interceptor | InterceptorFactory)[],
  client: ObservedClient,
): readonly Interceptor[] {
  if (!Array.isArray(given)) {
    throw new ArgumentError('interceptors must be an array, the outermost first.', { subject: 'interceptors' });
  }
  return given.map((item, index) => {
    const interceptor: unknown = isFactory(item) ? item.forClient(client) : item;
    if (!isInterceptor(interceptor)) {
      throw new ArgumentError(
        `interceptors[${index}] has neither intercept() nor one of ${HOOKS.join(', ')}. Give an object or a class with at least one of them.`,
        { subject: 'interceptors' },
      );
    }
    return interceptor;
  });
}

function isFactory(value: unknown): value is InterceptorFactory {
  return typeof (value as InterceptorFactory | null | undefined)?.forClient === 'function';
}

function isInterceptor(value: unknown): value is Interceptor {
  if (typeof value !== 'object' || value === null) return false;
  const methods = value as Readonly<Record<string, unknown>>;
  return ['intercept', ...HOOKS].some((name) => typeof methods[name] === 'function');
}

/** Folds interceptors into one function around `send`, the first one outermost. */
export function foldInterceptors(chain: readonly CommandInterceptor[], send: NextInterceptor): NextInterceptor {
  return chain.reduceRight<NextInterceptor>(
    // An interceptor that throws instead of rejecting must not throw at the caller.
    (next, interceptor) => async (call) => interceptor.intercept(call, next),
    send,
  );
}

/** Calls the hooks of one kind in order. What one throws, or rejects with, is told to nobody but the event channel. */
export class HookSet {
  readonly #identity: ClientIdentity;
  readonly #hooks: { readonly [N in HookName]: readonly CommandHooks[] };

  constructor(interceptors: readonly Interceptor[], identity: ClientIdentity) {
    this.#identity = identity;
    const having = (name: HookName): readonly CommandHooks[] =>
      interceptors.filter((interceptor) => typeof (interceptor as CommandHooks)[name] === 'function') as CommandHooks[];
    this.#hooks = Object.fromEntries(HOOKS.map((name) => [name, having(name)])) as {
      [N in HookName]: readonly CommandHooks[];
    };
  }

  /** One of the two hooks on every command's way: no arguments are gathered for it. */
  beforeCommand(call: CommandCall): void {
    for (const hooks of this.#hooks.beforeCommand) {
      try {
        const outcome: unknown = hooks.beforeCommand?.(call);
        if (outcome !== undefined) this.#follow('beforeCommand', outcome);
      } catch (error) {
        this.#publish('beforeCommand', error);
      }
    }
  }

  /** The other one. */
  afterCommand(call: CommandCall, result: CommandResult): void {
    for (const hooks of this.#hooks.afterCommand) {
      try {
        const outcome: unknown = hooks.afterCommand?.(call, result);
        if (outcome !== undefined) this.#follow('afterCommand', outcome);
      } catch (error) {
        this.#publish('afterCommand', error);
      }
    }
  }

  /** Whether anybody wants to hear of any of these. */
  has(...names: readonly HookName[]): boolean {
    return names.some((name) => this.#hooks[name].length > 0);
  }

  /** Calls every hook called `name`; those of commands have methods of their own. */
  call<N extends HookName>(name: N, ...args: Parameters<Required<CommandHooks>[N]>): void {
    for (const hooks of this.#hooks[name]) {
      try {
        this.#follow(name, (hooks[name] as (...all: typeof args) => unknown).apply(hooks, args));
      } catch (error) {
        this.#publish(name, error);
      }
    }
  }

  #follow(hook: HookName, outcome: unknown): void {
    followHook(this.#identity, hook, outcome);
  }

  #publish(hook: HookName, error: unknown): void {
    publishHookError(this.#identity, hook, error);
  }
}
