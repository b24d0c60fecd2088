import { AsyncResource } from 'node:async_hooks';
// A test may have put another one in the place of the global one, which never runs.
import { setImmediate } from 'node:timers';

/** What gathers during a turn of the event loop, and what sends off what was gathered. */
const gatherers: (() => void)[] = [];
const senders: (() => void)[] = [];
let isExpected = false;

/**
 * Runs a function at the end of the event loop's turn, when all that arrived in it is known: requests that came in on many
 * sockets have a tick each, and would cost a write each. It must not throw.
 */
export function gatherTurn(run: () => void): void {
  gatherers.push(inContext(run));
  expectEnd();
}

/** The same, after all that gathers: what that asks for leaves in the same turn, and with everything else. */
export function sendTurn(run: () => void): void {
  senders.push(inContext(run));
  expectEnd();
}

/** A turn has many callers: nobody's functions run in another's asynchronous context. */
function inContext(run: () => void): () => void {
  const resource = new AsyncResource('nestjs-valkey:turn');
  return () => resource.runInAsyncScope(run);
}

function expectEnd(): void {
  if (isExpected) return;
  isExpected = true;
  setImmediate(endTurn);
}

function endTurn(): void {
  try {
    // What is asked for meanwhile joins in.
    runAll(gatherers);
    runAll(senders);
  } finally {
    isExpected = false;
    if (gatherers.length + senders.length > 0) expectEnd();
  }
}

function runAll(runs: (() => void)[]): void {
  let done = 0;
  try {
    while (done < runs.length) (runs[done++] as () => void)();
  } finally {
    runs.splice(0, done);
  }
}
