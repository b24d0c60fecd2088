import { inspect } from 'node:util';
import { ValkeyOptions } from '../../../lib/options/builder.js';
import type { NodeList } from '../../../lib/options/options.js';
import { resolveSettings } from '../../../lib/options/resolve.js';
import { CERTIFICATE, KEY } from './certificates.js';
import { failure } from './failure.js';

const canary = 'c4n4ry-s3cret';
const start = ValkeyOptions.builder();
const settingsOf = (options: ValkeyOptions) => resolveSettings(options, {}).settings;

it.each<[string, { build(): ValkeyOptions }, object]>([
  ['single', start.single('h', 7), { topology: { mode: 'single', address: { host: 'h', port: 7 } } }],
  ['single without address', start.single(), { topology: { address: { host: 'localhost', port: 6379 } } }],
  ['cluster', start.cluster(['a:1']), { topology: { mode: 'cluster', nodes: [{ host: 'a', port: 1 }] } }],
  ['sentinel', start.sentinel({ name: 'm', nodes: 'a' }), { topology: { mode: 'sentinel', name: 'm' } }],
  ['embedded', start.embedded({ maxEntries: 5 }), { topology: { mode: 'embedded', maxEntries: 5 } }],
  ['embedded without bounds', start.embedded(), { topology: { mode: 'embedded', maxEntries: 100_000 } }],
  [
    'uri',
    start.uri('valkeys://h:7/2'),
    { topology: { address: { host: 'h', port: 7 }, db: 2 }, tls: { ca: undefined } },
  ],
  [
    'uri of a cluster',
    start.uri('valkey://a:1,b:2'),
    { topology: { mode: 'cluster', nodes: [{ port: 1 }, { port: 2 }] } },
  ],
  [
    'uri with options',
    start
      .uri('valkey://u:p@h?timeout=1s&dialTimeout=2s&retries=7&poolSize=4&keyPrefix=a')
      .retry({ min: 9 })
      .pool({ minIdle: 1 }),
    {
      timeouts: { read: 1_000, write: 1_000, dial: 2_000 },
      retry: { attempts: 7, min: 9 },
      pool: { size: 4, minIdle: 1 },
      keyPrefix: 'a',
      credentials: { username: 'u' },
    },
  ],
  ['credentials', start.credentials({ username: 'app', password: 'p' }), { credentials: { username: 'app' } }],
  ['credentialRefresh', start.single().credentialRefresh('1m'), { credentialRefresh: 60_000 }],
  ['tls', start.single().tls({ ca: Buffer.from(CERTIFICATE) }), { tls: { ca: CERTIFICATE } }],
  ['tls without details', start.single().tls(), { tls: { ca: undefined } }],
  ['tls off', start.single().tls(false), { tls: undefined }],
  ['db', start.single().db(3), { topology: { db: 3 } }],
  ['name', start.name('n'), { name: 'n' }],
  ['driver', start.driver('mine'), { driver: 'mine' }],
  ['keyPrefix', start.keyPrefix('p:'), { keyPrefix: 'p:' }],
  ['timeouts', start.timeouts({ read: 1 }).timeouts({ write: 2 }), { timeouts: { read: 1, write: 2 } }],
  ['timeout', start.timeout('1s'), { timeouts: { read: 1_000, write: 1_000 } }],
  ['retries', start.retries(5).retry({ backoff: 'fixed' }), { retry: { attempts: 5, backoff: 'fixed' } }],
  ['no retries', start.retry(false), { retry: { attempts: 0 } }],
  ['retries again', start.retry(false).retries(2), { retry: { attempts: 2 } }],
  ['breaker', start.breaker({ failures: 9 }).retries(1), { breaker: { failures: 9 }, retry: { attempts: 1 } }],
  ['no breaker', start.breaker(false), { breaker: undefined }],
  ['breaker by ratio', start.breaker({ ratio: 0.2 }), { breaker: { ratio: 0.2, window: 10_000, minimum: 10 } }],
  ['bulkhead', start.bulkhead({ inFlight: 3, queue: 4 }).retries(1), { bulkhead: { inFlight: 3, queue: 4 } }],
  ['no bulkhead', start.bulkhead({ inFlight: 3, queue: 4 }).bulkhead(false), { bulkhead: undefined }],
  [
    'preset',
    start.preset('off').timeout('1s'),
    { retry: { attempts: 0 }, breaker: undefined, timeouts: { read: 1_000 } },
  ],
  [
    'preset of a connection string that says more',
    start.uri('valkey://h?timeout=1s&retries=7').preset('aggressive'),
    { timeouts: { read: 1_000 }, retry: { attempts: 7, min: 4 }, breaker: { failures: 3 } },
  ],
  ['pool', start.pool({ size: 3 }).pool({ minIdle: 1 }), { pool: { size: 3, minIdle: 1 } }],
  ['maxQueue', start.maxQueue(5), { maxQueue: 5 }],
  ['connect', start.connect('required'), { connect: 'required' }],
  ['drain', start.drain('1s'), { drain: 1_000 }],
  ['logLevel', start.logLevel('error'), { logLevel: 'error' }],
])('[CFG-4] builds %s', (_, builder, expected) => {
  expect(settingsOf(builder.build())).toMatchObject(expected);
});

it('[CFG-4] returns a new builder at each step and leaves the old one as it was', () => {
  const base = start.retries(5);
  const sessions = base.name('sessions').single('a');
  const cache = base.name('cache').cluster('b');
  expect(base.build()).toEqual({ resilience: { retry: { attempts: 5 } } });
  expect(sessions.build()).toMatchObject({ name: 'sessions', host: 'a', resilience: { retry: { attempts: 5 } } });
  expect(cache.build()).toMatchObject({ name: 'cache', nodes: 'b' });
});

it('[CFG-4] copies what it is given and freezes what it returns', () => {
  const nodes = [{ host: 'a', port: 1 }];
  const builder = start.cluster(nodes);
  nodes[0] = { host: 'changed', port: 9 };
  const options = builder.build();
  expect(options.nodes).toEqual([{ host: 'a', port: 1 }]);
  expect(Object.isFrozen(options) && Object.isFrozen(options.nodes)).toBe(true);
});

it('[CFG-4] takes back the account and the certificate of options it has built', () => {
  const first = start.single().credentials({ password: canary }).tls({ cert: CERTIFICATE, key: KEY }).build();
  if (first.mode !== 'single' || typeof first.credentials !== 'object' || typeof first.tls !== 'object')
    throw new Error();
  const second = settingsOf(start.cluster('a').credentials(first.credentials).tls(first.tls).build());
  expect(second.credentials).toHaveProperty('password', canary);
  expect(second.tls?.key).toBe(KEY);
});

it('[CFG-4] hands a fetching function through', () => {
  const fetchToken = () => ({ password: 'p' });
  expect(settingsOf(start.single().credentials(fetchToken).build()).credentials).toBe(fetchToken);
});

it.each<[string, () => unknown]>([
  // @ts-expect-error a cluster has no database to choose
  ['db', () => start.cluster('a').db(3).build()],
  // @ts-expect-error one topology only
  ['nodes', () => start.cluster('a').single('h').build()],
  // @ts-expect-error one topology only
  ['uri', () => start.single('h').uri('valkey://h').build()],
  // @ts-expect-error there is nothing to log in to
  ['credentials', () => start.embedded().credentials({ password: 'p' }).build()],
  // @ts-expect-error there is no connection to encrypt
  ['tls', () => start.embedded().tls().build()],
  // @ts-expect-error sentinels need the name of the primary
  ['sentinel.name', () => start.sentinel({ nodes: 'a' }).build()],
  ['nodes', () => start.cluster([]).build()],
  ['port', () => start.single('h', 0).build()],
  ['resilience.retry.attempts', () => start.retries(-1).build()],
  ['uri', () => start.uri(`http://:${canary}@h`).build()],
  ['credentials.password', () => start.uri('valkey://:a@h').credentials({ password: canary }).build()],
])('[CFG-4] names %s when it does not fit', (path, build) => {
  const message = failure(build);
  expect(message).toContain(`\n- ${path} `);
  expect(message).not.toContain(canary);
});

it.each<[string, { toString(): string }]>([
  ['valkey://localhost:6379', start],
  ['valkey://h:7/2', start.single('h', 7).db(2)],
  ['valkeys://app:[redacted]@h:7', start.single('h', 7).credentials({ username: 'app', password: canary }).tls()],
  ['valkey://:[redacted]@h:7', start.single('h', 7).credentials(() => ({ password: canary }))],
  ['valkeys://app:[redacted]@h:6379/2', start.uri(`rediss://app:${canary}@h/2`)],
  ['valkey://a:1,b:6379', start.uri('valkey://a:1,b')],
  ['valkey://a:1,[::1]:6379', start.cluster('a:1,::1' satisfies NodeList)],
  ['valkey://s:26379?sentinel=main', start.sentinel({ name: 'main', nodes: 's', password: canary })],
  ['embedded:', start.embedded()],
])('[CFG-6] reads %s as text', (text, builder) => {
  expect(String(builder)).toBe(text);
  expect(inspect(builder, { depth: 9, showHidden: true }) + JSON.stringify(builder)).not.toContain(canary);
});

it.each<[string, { build(): ValkeyOptions }]>([
  ['credentials', start.single().credentials({ username: 'app', password: canary })],
  ['uri', start.uri(`valkey://app:${canary}@h`)],
  ['sentinel', start.sentinel({ name: 'm', nodes: 'a', password: canary })],
])('[CFG-6] builds options whose secret in %s is not printed', (_, builder) => {
  const options = builder.build();
  expect(inspect(options, { depth: 9 }) + JSON.stringify(options) + inspect({ ...options })).not.toContain(canary);
  const { credentials, topology } = settingsOf({ ...options });
  expect(topology.mode === 'sentinel' ? topology.sentinelCredentials : credentials).toHaveProperty('password', canary);
});
