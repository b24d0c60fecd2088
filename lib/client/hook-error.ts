import { events } from '../core/events.js';
import type { ClientIdentity } from '../core/events.js';

/** Tells the event channel, and nobody else, what a function that only looks on has thrown. */
export function publishHookError(identity: ClientIdentity, hook: string, error: unknown): void {
  if (events.hookError.active) events.hookError.publish({ ...identity, hook, error });
}

/** An async hook fits the types too; nobody else would hear of its failure, and the process would end. */
export function followHook(identity: ClientIdentity, hook: string, outcome: unknown): void {
  if (outcome instanceof Promise) outcome.catch((error: unknown) => publishHookError(identity, hook, error));
}

/** A listener that may be called in the middle of a driver's work: what it throws does not get there. */
export function guardListener<T>(
  identity: ClientIdentity,
  hook: string,
  listener: (value: T) => void,
): (value: T) => void {
  return (value) => {
    try {
      followHook(identity, hook, listener(value));
    } catch (error) {
      publishHookError(identity, hook, error);
    }
  };
}
