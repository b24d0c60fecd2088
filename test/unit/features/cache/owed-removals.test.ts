import type { ErrorCode } from '../../../../lib/index.js';
import { ConnectionError, ValkeyError } from '../../../../lib/core/errors.js';
import { isOwed, OwedRemovals } from '../../../../lib/features/cache/owed-removals.js';
import { createTestClient } from '../../../../lib/testing/index.js';
import type { TestClient } from '../../../../lib/testing/index.js';
import { until } from '../../../support/index.js';

const AWAY = new ConnectionError('away');

describe('removals that are owed to a store', () => {
  let test: TestClient;
  let owed: OwedRemovals;
  /** Who was asked, in order. */
  let asked: string[];
  let failing: ReadonlyMap<string, Error>;

  beforeEach(async () => {
    test = await createTestClient();
    owed = new OwedRemovals(test.client);
    asked = [];
    failing = new Map();
  });
  afterEach(() => test.client.close());

  const owe = (name: string): void =>
    owed.add(
      name,
      async () => {
        asked.push(name);
        const error = failing.get(name);
        if (error) throw error;
      },
      () => [['all', async () => void asked.push('all')]],
    );

  it('are made once each, however often they are owed', async () => {
    for (const name of ['one', 'two', 'one']) owe(name);
    await until(() => asked.length === 2, { what: 'both are made' });
    owe('three');
    await until(() => asked.length === 3, { what: 'what is owed later is made too' });
    expect(asked.toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('are tried again as long as the store is away, and hold up no others', async () => {
    failing = new Map([['one', AWAY]]);
    for (const name of ['one', 'two']) owe(name);
    await until(() => asked.filter((name) => name === 'one').length === 2, { what: 'it is tried again' });
    expect(asked.filter((name) => name === 'two')).toHaveLength(1);
    failing = new Map();
    await until(() => asked.filter((name) => name === 'one').length === 3, { what: 'it is made' });
  });

  it('are given up when the server refuses them', async () => {
    failing = new Map([['one', new ValkeyError('VALKEY_REPLY', 'NOPERM')]]);
    owe('one');
    await until(() => asked.length === 1, { what: 'it is tried' });
    owe('two');
    await until(() => asked.includes('two'), { what: 'the next one is made' });
    expect(asked).toEqual(['one', 'two']);
  });

  it('become the removal of everything when there are too many', async () => {
    for (let index = 0; index <= 10_000; index += 1) owe(String(index));
    await until(() => asked.length === 2, { what: 'everything is removed' });
    expect(asked).toEqual(['all', '10000']);
  });

  it('end with the client', async () => {
    failing = new Map([
      ['one', new ValkeyError('VALKEY_CLIENT_CLOSED', 'closed')],
      ['two', new ValkeyError('VALKEY_CLIENT_CLOSED', 'closed')],
    ]);
    for (const name of ['one', 'two']) owe(name);
    await test.client.close();
    await until(() => asked.length === 2, { what: 'the client is seen to be closed' });
  });

  it.each<[ErrorCode, boolean]>([
    ['VALKEY_CONNECTION_FAILED', true],
    ['VALKEY_OUTCOME_UNKNOWN', true],
    ['VALKEY_CIRCUIT_OPEN', true],
    ['VALKEY_OUT_OF_MEMORY', true],
    ['VALKEY_REPLY', false],
    ['VALKEY_CLIENT_CLOSED', false],
  ])('%s: %s', (code, expected) => {
    expect(isOwed(new ValkeyError(code, 'failed'))).toBe(expected);
  });
});
