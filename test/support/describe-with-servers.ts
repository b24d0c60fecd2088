import { findEngine } from './binaries.js';
import { sweep } from './leftovers.js';

let isSaid = false;

/**
 * A `describe` for tests that need real servers. Without any it skips the suite and says so, one line a file; under CI
 * (`CI=true`) it throws instead, for a build that silently tests nothing is worse than a red one.
 *
 * After the suite, whatever it left running is stopped.
 */
export function describeWithServers(title: string, tests: () => void): void {
  const engine = findEngine();
  if (engine.kind === 'none') {
    if (process.env['CI'] === 'true') throw new Error(`cannot run "${title}": ${engine.reason}`);
    if (!isSaid) process.stderr.write(`tests with servers are skipped: ${engine.reason}\n`);
    isSaid = true;
    describe.skip(title, tests);
    return;
  }
  describe(title, () => {
    tests();
    // Hooks run in the order of their registration: the suite's own come first.
    afterAll(() => void sweep());
  });
}
