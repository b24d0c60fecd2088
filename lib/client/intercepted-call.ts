import { ClientClosedError, DeadlineError, OutcomeUnknownError } from '../core/errors.js';
import type { ValkeyError } from '../core/errors.js';
import type { Reply } from '../driver/driver.js';
import { Deadlines } from '../resilience/deadlines.js';
import type { Timed } from '../resilience/deadlines.js';
import { foldInterceptors } from './interceptors.js';
import type { CommandInterceptor, NextInterceptor } from './interceptors.js';
import { asCalled } from './request.js';
import type { Request, Waiter } from './request.js';
import type { Abortable, SignalWatch } from './scope.js';

/** Milliseconds interceptors have to make something of an error they were given at the deadline. */
const GRACE = 20;

const CURE = 'An interceptor of this client had not ended: see what it waits for, or raise with({ timeout }).';

/** The calls of a client that are with its interceptors. */
export class InterceptedCalls {
  readonly deadlines = new Deadlines();
  readonly #open = new Set<InterceptedCall>();
  readonly #onIdle: () => void;

  /** @param onIdle called whenever the last one has ended */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  add(call: InterceptedCall): void {
    this.#open.add(call);
    this.deadlines.add(call);
  }

  remove(call: InterceptedCall): void {
    this.#open.delete(call);
    this.deadlines.remove(call);
    if (this.isIdle) this.#onIdle();
  }

  /** Ends those that interceptors do not end. */
  async close(): Promise<void> {
    // What the driver has just ended is still on its way through them.
    if (!this.isIdle) await new Promise((resolve) => setImmediate(resolve));
    for (const call of this.#open) call.close();
    this.deadlines.close();
  }
}

/** How long a call through interceptors may take. */
interface Bounds {
  /** When the caller called, by `performance.now()`. */
  readonly startedAt: number;
  readonly deadline: number;
  readonly watch: SignalWatch | undefined;
}

/** A command on its way through interceptors. Whatever they wait for, it ends at its deadline, by its signal, or with the client. */
export class InterceptedCall implements Abortable, Timed {
  readonly #request: Request<unknown>;
  readonly #bounds: Bounds;
  readonly #waiter: Waiter<unknown>;
  readonly #calls: InterceptedCalls;
  #isOver = false;
  /** Why it was ended though the interceptors had not ended. */
  #cut: { readonly reason: unknown } | undefined;
  /** Whether something was sent that may not be repeated. */
  #isOutcomeUnknown = false;

  constructor(request: Request<unknown>, bounds: Bounds, waiter: Waiter<unknown>, calls: InterceptedCalls) {
    this.#request = request;
    this.#bounds = bounds;
    this.#waiter = waiter;
    this.#calls = calls;
  }

  get due(): number {
    return this.#bounds.deadline + GRACE;
  }

  /** @param send sends what comes out of the interceptors */
  run(
    chain: readonly CommandInterceptor[],
    send: (request: Request<Reply>, resolve: (reply: Reply) => void, reject: (reason: unknown) => void) => void,
  ): void {
    const { command, args, decode } = this.#request;
    this.#bounds.watch?.add(this);
    this.#calls.add(this);
    const next: NextInterceptor = (call) => {
      const sent = this.#outgoing(asCalled(this.#request, call));
      const reply = new Promise<Reply>((resolve, reject) => {
        if (this.#cut) reject(this.#cut.reason);
        else send(sent, resolve, reject);
      });
      // An interceptor that hangs does not listen; its process must not end for that.
      reply.catch(ignore);
      return reply;
    };
    foldInterceptors(
      chain,
      next,
    )({ command: command.name, args, readOnly: command.readOnly })
      .then((reply) => decode(reply, command.name))
      .then(
        (value) => this.#end(() => this.#waiter.resolve(value)),
        (error: unknown) => this.#end(() => this.#waiter.reject(error)),
      );
  }

  onDue(): void {
    const { startedAt, deadline } = this.#bounds;
    const timeout = Math.round(deadline - startedAt);
    this.#cutOff(this.#unlessUnknown(new DeadlineError(this.#request.command.name, timeout, undefined, CURE)));
  }

  abort(reason: unknown): void {
    this.#cutOff(reason);
  }

  close(): void {
    this.#cutOff(this.#unlessUnknown(new ClientClosedError(this.#request.command.name)));
  }

  /** All that is sent for a call has to be over with it; what is sent once it is over has a time of its own. */
  #outgoing(sent: Request<Reply>): Request<Reply> {
    this.#isOutcomeUnknown ||= !sent.command.retrySafe;
    return this.#isOver ? sent : { ...sent, plan: { ...sent.plan, deadline: this.#bounds.deadline } };
  }

  #unlessUnknown(error: ValkeyError): ValkeyError {
    return this.#isOutcomeUnknown ? new OutcomeUnknownError(this.#request.command.name, error) : error;
  }

  #cutOff(reason: unknown): void {
    this.#end(() => {
      this.#cut = { reason };
      this.#waiter.reject(reason);
    });
  }

  #end(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#bounds.watch?.remove(this);
    this.#calls.remove(this);
    tell();
  }
}

function ignore(): void {
  // Whoever awaits it hears of it there.
}
