import type { Fields } from '../../../lib/options/draft.js';
import { Problems } from '../../../lib/options/problem.js';
import { formatUri, parseUri } from '../../../lib/options/uri.js';
import { failure } from './failure.js';

function values(uri: string): object {
  const problems = new Problems();
  const fields: Fields = parseUri(uri, 'uri', problems);
  problems.throwIfAny();
  return Object.fromEntries(Object.entries(fields).map(([field, sourced]) => [field, sourced.value]));
}

it.each<[string, object]>([
  ['valkey://h', { host: 'h', port: 6379 }],
  ['redis://h:1', { host: 'h', port: 1 }],
  ['valkeys://h', { host: 'h', port: 6379, tls: true }],
  ['rediss://h', { host: 'h', port: 6379, tls: true }],
  ['VALKEY://h/', { host: 'h', port: 6379 }],
  ['valkey://h/15', { host: 'h', port: 6379, db: 15 }],
  ['valkey://[::1]:7/2', { host: '::1', port: 7, db: 2 }],
  ['valkey://[::1]', { host: '::1', port: 6379 }],
  ['valkey://app:p@h', { host: 'h', port: 6379, username: 'app', password: 'p' }],
  ['valkey://:p@h', { host: 'h', port: 6379, password: 'p' }],
  ['valkey://a%40b:p%3A%2F%3F%23%25@h', { host: 'h', port: 6379, username: 'a@b', password: 'p:/?#%' }],
  ['valkey://:a@b:c@h', { host: 'h', port: 6379, password: 'a@b:c' }],
  [
    'valkey://a:1,b,[::1]:2',
    {
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
        { host: '::1', port: 2 },
      ],
    },
  ],
  [
    'valkey://h?timeout=250ms&keyPrefix=shop%3A&db=3&dialTimeout=1s&retries=7&poolSize=4',
    { host: 'h', port: 6379, read: 250, write: 250, keyPrefix: 'shop:', db: 3, dial: 1_000, attempts: 7, poolSize: 4 },
  ],
])('[CFG-6] reads %s', (uri, expected) => {
  expect(values(uri)).toEqual(expected);
});

it.each<[string, string]>([
  ['http://h', 'valkey[s]://'],
  ['valkey://', 'valkey[s]://'],
  ['valkey:h', 'valkey[s]://'],
  ['valkey://h#0', 'valkey[s]://'],
  ['valkey://h:0', 'no proper host'],
  ['valkey://h:x', 'no proper host'],
  ['valkey://a,,b', 'no proper host'],
  ['valkey://[h]', 'no proper host'],
  ['valkey://user@h', 'has a user name but no password'],
  ['valkey://:%zz@h', 'a % must be followed by two hexadecimal digits'],
  ['valkey://h/16', 'wrong in the path, which is 16: it must be a whole number from 0 to 15'],
  ['valkey://h/main', 'wrong in the path'],
  ['valkey://h?ssl=true', 'unknown option "ssl". Known: db, keyPrefix, timeout'],
  ['valkey://h?toString=1', 'unknown option "toString"'],
  ['valkey://h?timeout=0', 'wrong in \'timeout\', which is "0"'],
  ['valkey://h?retries=x', "wrong in 'retries'"],
  ['valkey://h/1?db=2', "says 'db' twice"],
])('[CFG-6] refuses %s because: %s', (uri, reason) => {
  const message = failure(() => values(uri));
  expect(message).toContain('\n- uri ');
  expect(message).toContain(reason);
});

it('[CFG-6] writes a connection string without its password', () => {
  const details = { username: 'a@b', password: true, db: 2, tls: true };
  expect(
    formatUri(
      [
        { host: '::1', port: 1 },
        { host: 'h', port: 2 },
      ],
      details,
    ),
  ).toBe('valkeys://a%40b:[redacted]@[::1]:1,h:2/2');
  expect(formatUri([{ host: 'h', port: 2 }])).toBe('valkey://h:2');
});
