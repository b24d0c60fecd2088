import { AsyncLocalStorage } from 'node:async_hooks';
import type { ErrorCode } from '../../../../lib/index.js';
import { ConnectionError, ReplyError, ValkeyError } from '../../../../lib/core/errors.js';
import { mayBeOwed, OwedRemovals } from '../../../../lib/features/cache/owed-removals.js';
import type { Removal } from '../../../../lib/features/cache/owed-removals.js';
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

  const removal = (name: string, whole?: string): Removal => ({
    name,
    make: async () => {
      asked.push(name);
      const error = failing.get(name);
      if (error) throw error;
    },
    ...(whole !== undefined && { whole: removal(whole) }),
  });
  const owe = (name: string, whole?: string): void => owed.add(removal(name, whole));

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

  it('become the removal of what they are part of when there are too many, and others stay', async () => {
    owe('tag');
    for (let index = 0; index < 10_000; index += 1) owe(String(index), index % 2 === 0 ? 'even' : 'odd');
    await until(() => asked.length === 4, { what: 'everything is removed' });
    expect(asked).toEqual(['tag', 'even', 'odd', '9999']);
  });

  it('are forgotten, the oldest first, when there are too many that are part of nothing', async () => {
    for (let index = 0; index <= 10_000; index += 1) owe(String(index));
    await until(() => asked.length === 10_000, { what: 'all others are made' });
    expect(asked).not.toContain('0');
  });

  it('are not held up for long by many that fail', async () => {
    const dead = Array.from({ length: 1_000 }, (_, index) => String(index));
    failing = new Map(dead.map((name) => [name, AWAY]));
    for (const name of [...dead, 'live']) owe(name);
    await until(() => asked.includes('live'), { what: 'it is made' });
    expect(asked).toEqual([...dead, 'live']);
    failing = new Map();
  });

  it('are made each in the context of who owes it', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    for (const name of ['one', 'two']) {
      context.run(name, () => owed.add({ name, make: async () => void seen.push(context.getStore()) }));
    }
    await until(() => seen.length === 2, { what: 'both are made' });
    expect(seen).toEqual(['one', 'two']);
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
    expect(mayBeOwed(new ValkeyError(code, 'failed'))).toBe(expected);
  });

  it('a server without a disk may take it tomorrow', () => {
    expect(mayBeOwed(new ReplyError('MISCONF', 'failed'))).toBe(true);
    expect(mayBeOwed(new ReplyError('NOPERM', 'failed'))).toBe(false);
  });
});
