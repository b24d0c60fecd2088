import { Deadlines } from '../../../lib/resilience/deadlines.js';
import { until } from '../../support/index.js';

describe('Deadlines', () => {
  let deadlines: Deadlines;
  let called: string[];

  beforeEach(() => {
    deadlines = new Deadlines();
    called = [];
  });

  afterEach(() => deadlines.close());

  function timed(name: string, milliseconds: number) {
    return { due: performance.now() + milliseconds, onDue: () => void called.push(name) };
  }

  it('tells each when its moment has passed, in order and not before', async () => {
    const late = timed('late', 60);
    deadlines.add(late);
    deadlines.add(timed('soon', 20));
    await until(() => called.length === 2, { what: 'both are told' });

    expect(called).toEqual(['soon', 'late']);
    expect(performance.now()).toBeGreaterThanOrEqual(late.due);
  });

  it('tells nobody who was removed', async () => {
    const gone = timed('gone', 10);
    deadlines.add(gone);
    deadlines.add(timed('stays', 30));
    deadlines.remove(gone);
    await until(() => called.length > 0, { what: 'the other is told' });

    expect(called).toEqual(['stays']);
  });

  it('forgets nobody over one whose moment had passed before it was added', async () => {
    deadlines.add(timed('first', 1));
    await until(() => called.length === 1, { what: 'the clock runs' });
    for (let index = 0; index < 3; index += 1) {
      deadlines.add(timed(`next ${index}`, 1));
      deadlines.add(timed(`past ${index}`, -100 - index));
    }
    await until(() => called.length === 7, { what: 'all are told' });
  });

  it('does not count what is never due', () => {
    deadlines.add({ due: Infinity, onDue: () => void called.push('never') });
    expect(called).toEqual([]);
  });
});
