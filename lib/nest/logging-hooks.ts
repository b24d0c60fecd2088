import { Logger } from '@nestjs/common';
import type {
  CommandCall,
  CommandHooks,
  CommandResult,
  ConnectionInfo,
  InterceptorFactory,
  ObservedClient,
  PipelineInfo,
  RetryInfo,
  RetryResult,
} from '../client/interceptors.js';
import { toMilliseconds } from '../core/duration.js';
import type { Duration } from '../core/duration.js';
import type { ErrorCode } from '../core/errors.js';

/** What is logged. */
export interface LoggingOptions {
  /** Single commands: failed and slow ones as warnings, all others on level debug. Default true. */
  readonly commands?: boolean;
  /** Pipelines and transactions, by the same rule. Default true. */
  readonly pipelines?: boolean;
  /** Connections: opened ones, and failed or closed ones. Default true. */
  readonly connections?: boolean;
  /** Repetitions. Default true. */
  readonly retries?: boolean;
  /** From when on a command or pipeline is slow. Default `'100ms'`. */
  readonly slowerThan?: Duration;
}

const KINDS = {
  commands: ['afterCommand'],
  pipelines: ['afterPipeline'],
  connections: ['afterConnect', 'afterDisconnect'],
  retries: ['beforeRetry', 'afterRetry'],
} as const satisfies Record<string, readonly (keyof CommandHooks)[]>;

/**
 * Logs what a client does through Nest's logger: names, counts, durations and error codes, never an argument.
 *
 * @example
 * ```ts
 * ValkeyModule.forRoot({ interceptors: [new LoggingHooks({ slowerThan: '20ms', connections: false })] });
 * ```
 */
export class LoggingHooks implements InterceptorFactory {
  readonly #options: LoggingOptions;
  readonly #slowMs: number;

  constructor(options: LoggingOptions = {}) {
    this.#options = options;
    this.#slowMs = toMilliseconds(options.slowerThan ?? '100ms', 'slowerThan');
  }

  /** @internal */
  forClient({ client }: ObservedClient): CommandHooks {
    const lines = new LogLines(client, this.#slowMs);
    const wanted = Object.entries(KINDS).filter(([kind]) => this.#options[kind as keyof typeof KINDS] !== false);
    // What is switched off is not there, so that it costs nothing.
    const hooks = wanted.flatMap(([, names]) => names.map((name) => [name, lines[name].bind(lines)]));
    // A set of hooks without any would be refused as a mistake.
    return { beforeDisconnect: ignore, ...(Object.fromEntries(hooks) as CommandHooks) };
  }
}

function ignore(): void {
  // The line comes when the connection is closed.
}

class LogLines implements Required<Pick<CommandHooks, (typeof KINDS)[keyof typeof KINDS][number]>> {
  readonly #logger: Logger;
  readonly #slowMs: number;

  constructor(client: string, slowMs: number) {
    this.#logger = new Logger(client === 'default' ? 'Valkey' : `Valkey(${client})`);
    this.#slowMs = slowMs;
  }

  afterCommand({ command, args }: CommandCall, { error, durationMs }: CommandResult): void {
    const count = `${args.length} ${args.length === 1 ? 'argument' : 'arguments'}`;
    this.#ended(`${command} with ${count}`, durationMs, error && `failed with ${error.code}`);
  }

  afterPipeline({ kind, size }: PipelineInfo, { failed, durationMs }: { failed: number; durationMs: number }): void {
    this.#ended(`A ${kind} of ${size}`, durationMs, failed > 0 ? `failed in ${failed}` : undefined);
  }

  afterConnect({ address, lane }: ConnectionInfo, { code }: { code: ErrorCode | undefined }): void {
    if (code === undefined) this.#logger.log(`The ${lane} connection to ${address} is open`);
    else this.#logger.warn(`The ${lane} connection to ${address} could not be opened: ${code}`);
  }

  afterDisconnect({ address, lane }: ConnectionInfo): void {
    this.#logger.log(`The ${lane} connection to ${address} is closed`);
  }

  beforeRetry({ route, attempt, delayMs, code }: RetryInfo): void {
    this.#logger.debug(`Repetition ${attempt} to ${route} in ${Math.round(delayMs)} ms, after ${code}`);
  }

  afterRetry({ route, attempt, code }: RetryResult): void {
    const times = attempt === 1 ? 'one repetition' : `${attempt} repetitions`;
    if (code === undefined) this.#logger.debug(`It worked on ${route} after ${times}`);
    else this.#logger.warn(`It failed on ${route} after ${times}: ${code}`);
  }

  #ended(what: string, durationMs: number, failure: string | undefined): void {
    const isSlow = durationMs >= this.#slowMs;
    if (failure === undefined && !isSlow) {
      this.#logger.debug(`${what} took ${inMs(durationMs)}`);
      return;
    }
    const how = failure ?? 'was slow';
    this.#logger.warn(`${what} ${how} after ${inMs(durationMs)}`);
  }
}

function inMs(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`;
}
