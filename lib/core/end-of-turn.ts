/** What gathers during a turn of the event loop, and what sends off what was gathered. */
const gatherers: (() => void)[] = [];
const senders: (() => void)[] = [];
let isExpected = false;

/**
 * Runs a function at the end of the event loop's turn, when all that arrived in it is known: requests that came in on many
 * sockets have a tick each, and would cost a write each. It must not throw.
 */
export function gatherTurn(run: () => void): void {
  gatherers.push(run);
  expectEnd();
}

/** The same, after all that gathers: what that asks for leaves in the same turn, and with everything else. */
export function sendTurn(run: () => void): void {
  senders.push(run);
  expectEnd();
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
