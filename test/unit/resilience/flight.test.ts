import { ClientClosedError, ConnectionError } from '../../../lib/index.js';
import type { Driver, Operation, Outcome } from '../../../lib/index.js';
import { PlainOperation } from '../../../lib/driver/pending-operation.js';
import type { OperationPlan } from '../../../lib/driver/pending-operation.js';
import { Deadlines } from '../../../lib/resilience/deadlines.js';
import { Flight, Traffic } from '../../../lib/resilience/flight.js';
import type { FlightPolicy } from '../../../lib/resilience/flight.js';

/** Flies one operation whose every attempt ends with what `answer` says; the pauses take no time. */
function fly(plan: Partial<OperationPlan>, answer: (attempt: number) => Outcome, policy: Partial<FlightPolicy> = {}) {
  let attempts = 0;
  let outcome: Outcome | undefined;
  const execute = (batch: readonly Operation[]): void => {
    for (const operation of batch) operation.settle(answer((attempts += 1)));
  };
  const full: FlightPolicy = {
    driver: { execute } as Driver,
    deadlines: new Deadlines(),
    attempts: 3,
    pauses: () => () => 0,
    later: (_, run) => run(),
    closed: () => false,
    identity: { client: 'default', clientId: 1 },
    traffic: new Traffic(),
    ...policy,
  };
  const operation = new PlainOperation({ command: 'INCR', args: ['n'], ...plan }, (ended) => (outcome = ended));
  new Flight(full, 'primary', [operation], performance.now()).start(() => undefined);
  full.deadlines.close();
  return { attempts, outcome };
}

const away: Outcome = { ok: false, error: new ConnectionError('away') };

describe('a flight', () => {
  it('[RES-1] repeats what was certainly not executed, whatever the command', () => {
    const { attempts, outcome } = fly({}, (attempt) => (attempt < 3 ? away : { ok: true, value: 1 }));

    expect(attempts).toBe(3);
    expect(outcome).toEqual({ ok: true, value: 1 });
  });

  it('[RES-1] gives up after its attempts when there is no deadline', () => {
    expect(fly({}, () => away)).toEqual({ attempts: 4, outcome: away });
    expect(fly({}, () => away, { attempts: 0 })).toEqual({ attempts: 1, outcome: away });
  });

  it('[RES-7] repeats nothing once the client is closed, and says so', () => {
    const { attempts, outcome } = fly({ deadline: performance.now() + 60_000 }, () => away, { closed: () => true });

    expect(attempts).toBe(1);
    expect(outcome).toMatchObject({ ok: false, error: expect.any(ClientClosedError) });
  });
});
