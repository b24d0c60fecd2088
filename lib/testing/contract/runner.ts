/** What the suite needs of a test runner: jest and vitest have it as globals, node:test exports it. */
export interface TestRunner {
  readonly describe: (title: string, tests: () => void) => unknown;
  readonly it: (title: string, test: () => Promise<void>) => unknown;
  readonly beforeAll: (hook: () => Promise<void>) => unknown;
  readonly afterAll: (hook: () => Promise<void>) => unknown;
}

type Named = Readonly<Record<string, unknown>>;

/**
 * The runner whose functions are among the properties of `source`. The hooks may be called `beforeAll` and `afterAll`, or
 * `before` and `after` as in node:test.
 */
export function runnerOf(source: object): TestRunner {
  return {
    describe: functionOf(source, 'describe'),
    it: functionOf(source, 'it', 'test'),
    beforeAll: functionOf(source, 'beforeAll', 'before'),
    afterAll: functionOf(source, 'afterAll', 'after'),
  };
}

function functionOf<F>(source: object, ...names: readonly string[]): F {
  for (const name of names) {
    const found = (source as Named)[name];
    if (typeof found === 'function') return found as F;
  }
  throw new TypeError(
    `The test runner has no ${names.join('() or ')}(). With jest or vitest let them be globals; with node:test pass it as the third argument: driverContract(title, subject, await import('node:test')).`,
  );
}
