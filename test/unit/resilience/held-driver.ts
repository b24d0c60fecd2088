import type { Driver, Operation, Outcome, Route } from '../../../lib/index.js';
import { PlainOperation } from '../../../lib/driver/pending-operation.js';
import type { OperationPlan } from '../../../lib/driver/pending-operation.js';
import { ResilientDriver } from '../../../lib/resilience/resilient-driver.js';
import { resolveSettings } from '../../../lib/index.js';
import type { ValkeyOptions } from '../../../lib/index.js';

/** A single server that answers only when the test says so. */
export class HeldDriver {
  /** What has been sent and not been answered, in order. */
  readonly held: Operation[] = [];
  /** How many operations each batch had. */
  readonly batches: number[] = [];
  #onReady: ((route: Route) => void) | undefined;
  readonly #route = { id: 'server:1' };

  /** Around it, the policies `resilience` asks for. */
  resilient(resilience: ValkeyOptions['resilience']): ResilientDriver {
    return new ResilientDriver(
      this as unknown as Driver,
      resolveSettings({ host: 'server', port: 1, ...(resilience && { resilience }) }, {}).settings,
    );
  }

  readonly name = 'held';
  readonly topology = 'single';
  nodes = (): readonly object[] => [{ route: this.#route, role: 'primary', connected: true }];
  route = (): Route => this.#route;

  execute(batch: readonly Operation[]): void {
    this.batches.push(batch.length);
    for (const operation of batch) {
      operation.sent = true;
      this.held.push(operation);
    }
  }

  onReady(listener: (route: Route) => void): () => void {
    this.#onReady = listener;
    return () => (this.#onReady = undefined);
  }

  /** The connection is open again. */
  ready(): void {
    this.#onReady?.(this.#route);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Answers the oldest `count` operations. */
  answer(outcome: Outcome = { ok: true, value: 'OK' }, count = this.held.length): void {
    for (const operation of this.held.splice(0, count)) {
      if (!outcome.ok && outcome.error.code === 'VALKEY_CONNECTION_FAILED') operation.sent = false;
      operation.settle(outcome);
    }
  }
}

/** An operation and what became of it. */
export function ask(plan: Partial<OperationPlan> = {}): { operation: PlainOperation; ended: Promise<Outcome> } {
  let end: (outcome: Outcome) => void;
  const ended = new Promise<Outcome>((resolve) => (end = resolve));
  const operation = new PlainOperation(
    { command: 'SET', args: ['k', 'v'], key: 'k', retrySafe: true, deadline: performance.now() + 60_000, ...plan },
    (outcome) => end(outcome),
  );
  return { operation, ended };
}

/** Until everything that was sent in this tick is under way. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a caller was told: `OK`, or the code of its error. */
export function word(outcome: Outcome): string {
  return outcome.ok ? 'OK' : outcome.error.code;
}
