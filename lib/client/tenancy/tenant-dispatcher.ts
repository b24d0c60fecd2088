import type { Argument, Driver, Operation } from '../../driver/driver.js';
import type { Inquiry } from '../../resilience/circuit.js';
import type { CommandDescription } from '../commands/command.js';
import type { Decoder } from '../commands/command-set.js';
import { prefixArguments } from '../commands/prefix.js';
import type { Dispatcher, DispatcherSettings } from '../dispatcher.js';
import type { Reporter } from '../reporter.js';
import { launchItem } from '../request.js';
import type { LaunchItem, Request, Waiter } from '../request.js';
import type { Scope } from '../scope.js';

/** What the parts of a client use of its dispatcher. */
export type Dispatching = Pick<
  Dispatcher,
  | 'driver'
  | 'settings'
  | 'reporter'
  | 'underWay'
  | 'closed'
  | 'send'
  | 'request'
  | 'inquire'
  | 'launch'
  | 'operation'
  | 'waiting'
  | 'inner'
  | 'keysOf'
  | 'refusal'
  | 'close'
>;

/**
 * A dispatcher around a dispatcher: it puts the tenant's part before every key, channel and pattern, and hands on.
 * Interceptors stand behind it, so that they never take a key of one tenant for that of another.
 */
export class TenantDispatcher implements Dispatching {
  readonly settings: DispatcherSettings;
  readonly #whole: Dispatching;
  readonly #prefix: string;

  /** @param prefix the tenant's part */
  constructor(whole: Dispatching, prefix: string) {
    this.#whole = whole;
    this.#prefix = prefix;
    // What replies, channels and changes are stripped of.
    this.settings = { ...whole.settings, keyPrefix: whole.settings.keyPrefix + prefix };
  }

  get driver(): Driver & Partial<Inquiry> {
    return this.#whole.driver;
  }

  get reporter(): Reporter {
    return this.#whole.reporter;
  }

  get underWay(): number {
    return this.#whole.underWay;
  }

  get closed(): boolean {
    return this.#whole.closed;
  }

  // What cannot be prefixed rejects, as everything else that is wrong with a command.
  async send<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary: boolean,
    scope: Scope,
  ): Promise<T> {
    return this.#whole.send(command, prefixArguments(command, args, this.#prefix), decode, binary, scope);
  }

  async request<T>(request: Request<T>, scope: Scope): Promise<T> {
    return this.#whole.request(this.#own(request), scope);
  }

  async inquire<T>(request: Request<T>, scope: Scope): Promise<T> {
    return this.#whole.inquire(this.#own(request), scope);
  }

  launch(items: readonly LaunchItem[], scope: Scope): void {
    const own = items.map(({ request, waiter }) => launchItem(this.#own(request), waiter));
    this.#whole.launch(own, scope);
  }

  operation<T>(request: Request<T>, scope: Scope, waiter: Waiter<T>): Operation {
    return this.#whole.operation(this.#own(request), scope, waiter);
  }

  waiting(...[command, args, scope, waiter]: Parameters<Dispatching['waiting']>): Operation {
    return this.#whole.waiting(command, prefixArguments(command, args, this.#prefix), scope, waiter);
  }

  inner(request: Request<unknown>): Operation {
    return this.#whole.inner(this.#own(request));
  }

  keysOf(operation: Operation): readonly Argument[] {
    return this.#whole.keysOf(operation);
  }

  refusal(count: number, scope: Scope): unknown {
    return this.#whole.refusal(count, scope);
  }

  close(): Promise<void> {
    return this.#whole.close();
  }

  #own<T>(request: Request<T>): Request<T> {
    return { ...request, args: prefixArguments(request.command, request.args, this.#prefix) };
  }
}
