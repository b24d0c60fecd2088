import { isValkeyError } from '../core/errors.js';
import { events, identityOf } from '../core/events.js';
import type { ClientIdentity } from '../core/events.js';
import type { Argument, Outcome } from '../driver/driver.js';
import { AbortedError } from './client-operation.js';
import type { FinishedOperation } from './client-operation.js';
import type { CommandDescription } from './commands/command.js';
import { followEvents } from './hook-events.js';
import { HookSet } from './interceptors.js';
import type { CommandCall, Interceptor, PipelineInfo } from './interceptors.js';

/** Tells hooks and event channels what the commands of one client do; with nobody looking on it is free. */
export class Reporter {
  readonly #identity: ClientIdentity;
  /** What looks on commands; `undefined` if nothing does. */
  readonly #hooks: HookSet | undefined;
  readonly #allHooks: HookSet;
  /** Whether a call has to be kept from before to after; who only hears the end gets one made then. */
  readonly #keepsCalls: boolean;
  readonly #unfollow: () => void;
  #clock: number | undefined;

  constructor(settings: { readonly name: string }, interceptors: readonly Interceptor[]) {
    this.#identity = identityOf(settings);
    const hooks = new HookSet(interceptors, this.#identity);
    this.#hooks = hooks.has('beforeCommand', 'afterCommand') ? hooks : undefined;
    this.#allHooks = hooks;
    this.#keepsCalls = hooks.has('beforeCommand');
    this.#unfollow = followEvents(hooks, this.#identity);
  }

  close(): void {
    this.#unfollow();
  }

  /** Tells those who look on of a pipeline or transaction, and by the function it gives how it ended. */
  group(kind: PipelineInfo['kind'], size: number): (failed: number) => void {
    if (!this.#allHooks.has('beforePipeline', 'afterPipeline') && !events.pipeline.active) return ignore;
    const info = { kind, size };
    const startedAt = performance.now();
    this.#allHooks.call('beforePipeline', info);
    return (failed) => {
      const durationMs = performance.now() - startedAt;
      this.#allHooks.call('afterPipeline', info, { failed, durationMs });
      if (events.pipeline.active) events.pipeline.publish({ ...this.#identity, ...info, failed, durationMs });
    };
  }

  /** A command is about to be sent as `wire`; the call to hand on to {@link Reporter.ended}, if one has to be kept. */
  begun(command: CommandDescription, args: readonly Argument[], wire: readonly Argument[]): CommandCall | undefined {
    return this.#keepsCalls || (this.#hooks && wire !== args) ? this.#announce(command, args) : undefined;
  }

  /** A command is over. */
  ended(operation: FinishedOperation, outcome: Outcome): void {
    if (this.#hooks || events.command.active) this.#report(operation, outcome);
  }

  /** A command was not even begun. */
  refused(command: CommandDescription, args: readonly Argument[], refusal: unknown): void {
    if (!this.#hooks && !events.command.active) return;
    const error = isValkeyError(refusal) ? refusal : new AbortedError(command.name, refusal);
    const call = this.#hooks && this.#announce(command, args);
    const { name, readOnly } = command;
    this.#report({ command: name, args, readOnly, call, startedAt: this.#endedAt() }, { ok: false, error });
  }

  #announce(command: CommandDescription, args: readonly Argument[]): CommandCall {
    const call: CommandCall = { command: command.name, args, readOnly: command.readOnly };
    this.#hooks?.beforeCommand(call);
    return call;
  }

  #report({ command, args, readOnly, call, startedAt }: FinishedOperation, outcome: Outcome): void {
    const durationMs = this.#endedAt() - startedAt;
    const error = outcome.ok ? undefined : outcome.error;
    this.#hooks?.afterCommand(call ?? { command, args, readOnly }, { error, durationMs });
    if (events.command.active) events.command.publish({ ...this.#identity, command, durationMs, code: error?.code });
  }

  /** The time, read once for all that ends in one go: of a merged read, reading the clock would cost more than the hooks. */
  #endedAt(): number {
    if (this.#clock === undefined) {
      this.#clock = performance.now();
      queueMicrotask(this.#forgetClock);
    }
    return this.#clock;
  }

  readonly #forgetClock = (): void => {
    this.#clock = undefined;
  };
}

function ignore(): void {
  // Nobody looks on.
}
