import { inspect } from 'node:util';
import { isValkeyError } from '../../../lib/core/errors.js';
import type { Environment } from '../../../lib/options/environment.js';
import type { ValkeyOptions } from '../../../lib/options/options.js';
import { resolveSettings } from '../../../lib/options/resolve.js';
import { failure } from './failure.js';

const embedded = { mode: 'embedded', maxEntries: 100_000, maxBytes: 67_108_864 } as const;

/** Options as JavaScript can write them, past the type checker. */
function resolve(options: object, environment: Environment = {}) {
  return resolveSettings(options, environment);
}

describe('defaults', () => {
  it('[CFG-1] gives every setting its documented default', () => {
    const { settings, warnings, implicitlyEmbedded } = resolve({ host: 'cache' });
    expect({ ...settings }).toEqual({
      name: 'default',
      driver: 'valkey',
      topology: { mode: 'single', address: { host: 'cache', port: 6379 }, db: 0 },
      keyPrefix: '',
      credentials: undefined,
      credentialRefresh: 600_000,
      tls: undefined,
      timeouts: { dial: 5_000, read: 3_000, write: 3_000 },
      pool: { size: 10, minIdle: 0, maxIdle: 10 },
      retry: { attempts: 3, backoff: 'exponential', min: 8, max: 512 },
      breaker: { failures: 5, halfOpenAfter: 5_000 },
      bulkhead: undefined,
      maxQueue: 65_536,
      connect: 'degraded',
      drain: 5_000,
      logLevel: 'info',
    });
    expect(warnings).toEqual([]);
    expect(implicitlyEmbedded).toBe(false);
  });

  it('[CFG-2] runs embedded, and says so, when nothing is configured', () => {
    const { settings, implicitlyEmbedded } = resolveSettings(undefined, { PATH: '/bin' });
    expect(settings.topology).toEqual(embedded);
    expect(settings.driver).toBe('embedded');
    expect(implicitlyEmbedded).toBe(true);
  });

  it('[CFG-2] keeps running embedded when only things without a server are configured', () => {
    expect(resolve({ keyPrefix: 'shop:', drain: '1s' }, { VALKEY_LOG_LEVEL: 'warn' }).implicitlyEmbedded).toBe(true);
  });

  it.each<[object, Environment]>([
    [{}, {}],
    [{ pool: { size: 3 } }, { VALKEY_KEY_PREFIX: 'a:' }],
  ])('[CFG-5] refuses to run embedded unasked in production', (options, environment) => {
    const message = failure(() => resolve(options, { ...environment, NODE_ENV: 'production' }));
    expect(message).toContain("mode: 'embedded'");
    expect(message).toContain('VALKEY_MODE=embedded');
  });

  it.each<[object, Environment]>([
    [{ mode: 'embedded' }, {}],
    [{}, { VALKEY_MODE: 'embedded' }],
    [{}, { VALKEY_PROVIDER: 'embedded' }],
    [{ driver: 'embedded' }, {}],
  ])('[CFG-5] runs embedded in production when it is written out', (options, environment) => {
    const { settings, implicitlyEmbedded } = resolve(options, { ...environment, NODE_ENV: 'production' });
    expect(settings.topology).toEqual(embedded);
    expect(settings.driver).toBe('embedded');
    expect(implicitlyEmbedded).toBe(false);
  });

  it('[CFG-1] reads process.env when no environment is given', () => {
    const before = process.env['VALKEY_HOST'];
    process.env['VALKEY_HOST'] = 'from-the-process';
    try {
      expect(resolveSettings().settings.topology).toMatchObject({ address: { host: 'from-the-process' } });
    } finally {
      if (before === undefined) delete process.env['VALKEY_HOST'];
      else process.env['VALKEY_HOST'] = before;
    }
  });

  it('[CFG-1] freezes the settings to their depth', () => {
    const { settings } = resolve({ mode: 'cluster', nodes: 'a,b', credentials: { password: 'p' } });
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(settings)).toBe(true);
  });
});

describe('every option has its effect', () => {
  it.each<[object, object]>([
    [{ name: 'sessions' }, { name: 'sessions' }],
    [{ driver: 'mine' }, { driver: 'mine', topology: { mode: 'single', address: { host: 'localhost', port: 6379 } } }],
    [{ mode: 'single' }, { topology: { mode: 'single', address: { host: 'localhost', port: 6379 }, db: 0 } }],
    [{ host: '::1', port: 7000, db: 15 }, { topology: { address: { host: '::1', port: 7000 }, db: 15 } }],
    [{ uri: 'valkey://h:1/2' }, { topology: { mode: 'single', address: { host: 'h', port: 1 }, db: 2 } }],
    [
      { uri: 'valkey://a:1,b:2' },
      {
        topology: {
          mode: 'cluster',
          nodes: [
            { host: 'a', port: 1 },
            { host: 'b', port: 2 },
          ],
        },
      },
    ],
    [{ mode: 'cluster', uri: 'valkey://a:1' }, { topology: { mode: 'cluster', nodes: [{ host: 'a', port: 1 }] } }],
    [
      { mode: 'cluster', nodes: 'a:1, b', db: 0 },
      {
        topology: {
          nodes: [
            { host: 'a', port: 1 },
            { host: 'b', port: 6379 },
          ],
        },
      },
    ],
    [
      { nodes: ['[::1]:7', '::2'] },
      {
        topology: {
          mode: 'cluster',
          nodes: [
            { host: '::1', port: 7 },
            { host: '::2', port: 6379 },
          ],
        },
      },
    ],
    [{ mode: 'cluster', nodes: [{ host: 'a', port: 1 }] }, { topology: { nodes: [{ host: 'a', port: 1 }] } }],
    [
      { mode: 'sentinel', sentinel: { name: 'main', nodes: 's1,s2:5' }, db: 3 },
      {
        topology: {
          mode: 'sentinel',
          name: 'main',
          sentinels: [
            { host: 's1', port: 26379 },
            { host: 's2', port: 5 },
          ],
          sentinelCredentials: undefined,
          db: 3,
        },
      },
    ],
    [{ mode: 'embedded', embedded: { maxEntries: 5, maxBytes: 6 } }, { topology: { maxEntries: 5, maxBytes: 6 } }],
    [{ keyPrefix: 'shop:' }, { keyPrefix: 'shop:' }],
    [{ host: 'h', credentialRefresh: '1m' }, { credentialRefresh: 60_000 }],
    [{ timeouts: { dial: '1s', read: 2, write: '0.5s' } }, { timeouts: { dial: 1_000, read: 2, write: 500 } }],
    [{ resilience: { timeout: '250ms' } }, { timeouts: { dial: 5_000, read: 250, write: 250 } }],
    [{ resilience: { timeout: '250ms' }, timeouts: { read: 9 } }, { timeouts: { read: 9, write: 250 } }],
    [
      { resilience: { retry: { attempts: 7, backoff: 'linear', min: '1s', max: '2s' } } },
      { retry: { attempts: 7, backoff: 'linear', min: 1_000, max: 2_000 } },
    ],
    [{ resilience: { retry: false } }, { retry: { attempts: 0 } }],
    [
      { resilience: { breaker: { failures: 9, halfOpenAfter: '9s' } } },
      { breaker: { failures: 9, halfOpenAfter: 9_000 } },
    ],
    [{ resilience: { breaker: false } }, { breaker: undefined }],
    [{ resilience: { retry: { backoff: 'none' } } }, { retry: { backoff: 'none', attempts: 3 } }],
    [
      { resilience: { breaker: { ratio: 0.5 } } },
      { breaker: { ratio: 0.5, window: 10_000, minimum: 10, halfOpenAfter: 5_000 } },
    ],
    [
      { resilience: { breaker: { ratio: 1, window: '1m', minimum: 3, halfOpenAfter: '9s' } } },
      { breaker: { ratio: 1, window: 60_000, minimum: 3, halfOpenAfter: 9_000 } },
    ],
    [{ resilience: { bulkhead: { inFlight: 5, queue: 0 } } }, { bulkhead: { inFlight: 5, queue: 0 } }],
    [{ resilience: { bulkhead: false } }, { bulkhead: undefined }],
    [{ pool: { size: 4, minIdle: 1, maxIdle: 2 } }, { pool: { size: 4, minIdle: 1, maxIdle: 2 } }],
    [{ pool: { size: 4 } }, { pool: { size: 4, minIdle: 0, maxIdle: 4 } }],
    [{ maxQueue: 3 }, { maxQueue: 3 }],
    [{ connect: 'required' }, { connect: 'required' }],
    [{ drain: 0 }, { drain: 0 }],
    [{ logLevel: 'silent' }, { logLevel: 'silent' }],
    [{ tls: true }, { tls: { ca: undefined, cert: undefined, minVersion: 'TLSv1.2', insecureSkipVerify: false } }],
    [{ tls: { serverName: 'cache.internal' } }, { tls: { serverName: 'cache.internal' } }],
    [{ host: undefined, mode: 'single' }, { topology: { address: { host: 'localhost' } } }],
  ])('[CFG-1] %j', (options, expected) => {
    expect(resolve(options).settings).toMatchObject(expected);
  });

  it('[CFG-8] takes fixed credentials and a function that fetches them', () => {
    const fetchToken = () => Promise.resolve({ password: 'token' });
    expect(resolve({ credentials: fetchToken }).settings.credentials).toBe(fetchToken);
    const { credentials } = resolve({ credentials: { username: 'app', password: 'pw' } }).settings;
    expect(credentials).toMatchObject({ username: 'app' });
    expect((credentials as { password: string }).password).toBe('pw');
  });

  it('[CFG-9] resolves named clients independently of each other', () => {
    const environment = { VALKEY_PASSWORD: 'pw' };
    const sessions = resolve({ name: 'sessions', host: 'a', keyPrefix: 's:' }, environment).settings;
    const cache = resolve({ name: 'cache', mode: 'cluster', nodes: 'b' }, environment).settings;
    expect([sessions.name, sessions.topology.mode, sessions.keyPrefix]).toEqual(['sessions', 'single', 's:']);
    expect([cache.name, cache.topology.mode, cache.keyPrefix]).toEqual(['cache', 'cluster', '']);
  });
});

describe('every wrong option is named', () => {
  it.each<[string, object]>([
    ['name', { name: 'a b' }],
    ['driver', { driver: '' }],
    ['mode', { mode: 'clustered' }],
    ['host', { host: 'h:6379' }],
    ['host', { host: '' }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: '6379' }],
    ['port', { port: Number.NaN }],
    ['uri', { uri: 5 }],
    ['uri', { uri: '' }],
    ['nodes', { mode: 'cluster', nodes: [] }],
    ['nodes', { mode: 'cluster', nodes: 'a:1,' }],
    ['nodes', { mode: 'cluster', nodes: 'a:70000' }],
    ['nodes', { mode: 'cluster', nodes: [{ host: 'a' }] }],
    ['nodes', { mode: 'cluster', nodes: [{ host: 'a', port: 0 }] }],
    ['nodes', { mode: 'cluster', nodes: '[a]:1' }],
    ['nodes', { mode: 'cluster', nodes: 5 }],
    ['sentinel', { mode: 'sentinel', sentinel: 'main' }],
    ['sentinel.name', { mode: 'sentinel', sentinel: { nodes: 'a' } }],
    ['sentinel.nodes', { mode: 'sentinel', sentinel: { name: 'main' } }],
    ['sentinel.username', { mode: 'sentinel', sentinel: { name: 'm', nodes: 'a', username: 'x' } }],
    ['sentinel.username', { mode: 'sentinel', sentinel: { name: 'm', nodes: 'a', username: 5 } }],
    ['sentinel.password', { mode: 'sentinel', sentinel: { name: 'm', nodes: 'a', password: 5 } }],
    ['db', { db: -1 }],
    ['db', { db: 16 }],
    ['db', { db: 1.5 }],
    ['keyPrefix', { keyPrefix: 5 }],
    ['credentials', { credentials: 'secret' }],
    ['credentials.password', { credentials: { username: 'a' } }],
    ['credentials.password', { credentials: { password: '' } }],
    ['credentials.username', { credentials: { username: '', password: 'p' } }],
    ['credentialRefresh', { credentialRefresh: 'soon' }],
    ['tls', { tls: 'yes' }],
    ['tls.ca', { tls: { ca: 'no pem' } }],
    ['tls.caFile', { tls: { caFile: '' } }],
    ['tls.caBase64', { tls: { caBase64: 5 } }],
    ['tls.cert', { tls: { cert: 5 } }],
    ['tls.certFile', { tls: { certFile: 5 } }],
    ['tls.key', { tls: { key: 'no pem' } }],
    ['tls.keyFile', { tls: { keyFile: 5 } }],
    ['tls.serverName', { tls: { serverName: 'a b' } }],
    ['tls.insecureSkipVerify', { tls: { insecureSkipVerify: 'true' } }],
    ['timeouts', { timeouts: 5 }],
    ['timeouts.dial', { timeouts: { dial: 0 } }],
    ['timeouts.read', { timeouts: { read: '3 hours' } }],
    ['timeouts.write', { timeouts: { write: '30d' } }],
    ['resilience', { resilience: [] }],
    ['resilience.timeout', { resilience: { timeout: -1 } }],
    ['resilience.retry', { resilience: { retry: true } }],
    ['resilience.retry.attempts', { resilience: { retry: { attempts: -1 } } }],
    ['resilience.retry.attempts', { resilience: { retry: { attempts: 1_001 } } }],
    ['resilience.retry.backoff', { resilience: { retry: { backoff: 'random' } } }],
    ['resilience.retry.min', { resilience: { retry: { min: 0 } } }],
    ['resilience.retry.max', { resilience: { retry: { max: null } } }],
    ['resilience.retry.min', { resilience: { retry: { min: '2s', max: '1s' } } }],
    ['resilience.retry.min', { resilience: { retry: { min: '1s' } } }],
    ['resilience.retry.max', { resilience: { retry: { max: 7 } } }],
    ['resilience.breaker', { resilience: { breaker: 5 } }],
    ['resilience.breaker.failures', { resilience: { breaker: { failures: 0 } } }],
    ['resilience.breaker.halfOpenAfter', { resilience: { breaker: { halfOpenAfter: 0 } } }],
    ['resilience.breaker.ratio', { resilience: { breaker: { ratio: 0 } } }],
    ['resilience.breaker.ratio', { resilience: { breaker: { ratio: 1.1 } } }],
    ['resilience.breaker.ratio', { resilience: { breaker: { ratio: '50%' } } }],
    ['resilience.breaker.window', { resilience: { breaker: { ratio: 0.5, window: 9 } } }],
    ['resilience.breaker.window', { resilience: { breaker: { window: '1s' } } }],
    ['resilience.breaker.minimum', { resilience: { breaker: { ratio: 0.5, minimum: 0 } } }],
    ['resilience.breaker.minimum', { resilience: { breaker: { minimum: 5 } } }],
    ['resilience.breaker.failures', { resilience: { breaker: { failures: 5, ratio: 0.5 } } }],
    ['resilience.bulkhead', { resilience: { bulkhead: true } }],
    ['resilience.bulkhead.inFlight', { resilience: { bulkhead: { inFlight: 0, queue: 1 } } }],
    ['resilience.bulkhead.inFlight', { resilience: { bulkhead: { queue: 1 } } }],
    ['resilience.bulkhead.queue', { resilience: { bulkhead: { inFlight: 1 } } }],
    ['resilience.bulkhead.queue', { resilience: { bulkhead: { inFlight: 1, queue: -1 } } }],
    ['resilience', { resilience: 'patient' }],
    ['resilience.preset', { resilience: { preset: 'patient' } }],
    ['pool', { pool: () => 1 }],
    ['pool.size', { pool: { size: 0 } }],
    ['pool.size', { pool: { size: 1_001 } }],
    ['pool.minIdle', { pool: { minIdle: -1 } }],
    ['pool.minIdle', { pool: { size: 2, minIdle: 3 } }],
    ['pool.minIdle', { pool: { minIdle: 3, maxIdle: 2 } }],
    ['pool.maxIdle', { pool: { maxIdle: -1 } }],
    ['pool.maxIdle', { pool: { size: 2, maxIdle: 3 } }],
    ['embedded', { mode: 'embedded', embedded: 5 }],
    ['embedded.maxEntries', { mode: 'embedded', embedded: { maxEntries: 0 } }],
    ['embedded.maxBytes', { mode: 'embedded', embedded: { maxBytes: 1.5 } }],
    ['maxQueue', { maxQueue: 0 }],
    ['connect', { connect: 'lazy' }],
    ['drain', { drain: -5 }],
    ['logLevel', { logLevel: 'verbose' }],
  ])('[CFG-1] %s in %j', (path, options) => {
    const message = failure(() => resolve(options));
    expect(message).toContain(`\n- ${path} `);
    expect(message.split('\n')).toHaveLength(2);
  });

  it('[CFG-1] tells the value and what it must be', () => {
    expect(failure(() => resolve({ resilience: { retry: { attempts: -1 } } }))).toBe(
      'The Valkey configuration is wrong:\n' +
        '- resilience.retry.attempts is -1: it must be a whole number from 0 to 1000 (0: no retries).',
    );
  });

  it('[CFG-1] reports all problems in one error, one per line, and the first as its subject', () => {
    const attempt = (): unknown => resolve({ port: 0, pool: { size: 0 } }, { VALKEY_DB: 'x' });
    expect(failure(attempt).split('\n').slice(1)).toEqual([
      expect.stringContaining('- port is 0'),
      expect.stringContaining('- pool.size is 0'),
      expect.stringContaining('- VALKEY_DB is "x"'),
    ]);
    try {
      attempt();
    } catch (error) {
      expect(isValkeyError(error, 'VALKEY_CONFIGURATION_INVALID') && error.subject).toBe('port');
    }
  });

  it.each<[object, string, string]>([
    [{ hots: 'a' }, 'hots', "Did you mean 'host'?"],
    [{ resilience: { retrys: 3 } }, 'resilience.retrys', "Did you mean 'retry'?"],
    [
      { resilience: { bulkhead: { inFligth: 3, queue: 1 } } },
      'resilience.bulkhead.inFligth',
      "Did you mean 'inFlight'?",
    ],
    [{ resilience: { retry: { atempts: 3 } } }, 'resilience.retry.atempts', "Did you mean 'attempts'?"],
    [{ tls: { rejectUnauthorized: false } }, 'tls.rejectUnauthorized', 'Known here: ca, caFile'],
    [{ pool: { max: 5 } }, 'pool.max', 'Known here: size, minIdle, maxIdle'],
    [{ credentials: { pasword: 'x', password: 'y' } }, 'credentials.pasword', "Did you mean 'password'?"],
  ])('[CFG-1] refuses the unknown option in %j and tells the known ones', (options, path, hint) => {
    const message = failure(() => resolve(options));
    expect(message).toContain(`- ${path} is not an option.`);
    expect(message).toContain(hint);
  });

  it.each([null, 5, 'valkey://h', []])('[CFG-1] refuses %j instead of options', (options) => {
    expect(failure(() => resolve(options as object))).toContain('- options ');
  });
});

describe('what excludes each other', () => {
  it.each<[string, object]>([
    ['uri', { uri: 'valkey://h', host: 'h' }],
    ['uri', { uri: 'valkey://h', port: 1 }],
    ['nodes', { host: 'h', nodes: 'a' }],
    ['nodes', { uri: 'valkey://h', nodes: 'a' }],
    ['sentinel', { host: 'h', sentinel: { name: 'm', nodes: 'a' } }],
    ['host', { mode: 'cluster', nodes: 'a', host: 'h' }],
    ['port', { mode: 'cluster', nodes: 'a', port: 1 }],
    ['sentinel', { mode: 'cluster', nodes: 'a', sentinel: { name: 'm', nodes: 'a' } }],
    ['nodes', { mode: 'sentinel', nodes: 'a', sentinel: { name: 'm', nodes: 'a' } }],
    ['uri', { mode: 'sentinel', uri: 'valkey://a' }],
    ['host', { mode: 'embedded', host: 'h' }],
    ['credentials', { mode: 'embedded', credentials: { password: 'p' } }],
    ['tls', { mode: 'embedded', tls: true }],
    ['db', { mode: 'embedded', db: 0 }],
    ['embedded', { embedded: { maxEntries: 1 } }],
    ['embedded', { host: 'h', embedded: { maxEntries: 1 } }],
    ['db', { mode: 'cluster', nodes: 'a', db: 1 }],
    ['db', { uri: 'valkey://a,b', db: 1 }],
    ['uri', { uri: 'valkey://a,b', mode: 'single' }],
    ['uri', { uri: 'valkey://a,b/1' }],
    ['driver', { mode: 'embedded', driver: 'valkey' }],
    ['driver', { mode: 'single', driver: 'embedded' }],
    ['credentials.password', { uri: 'valkey://:a@h', credentials: { password: 'b' } }],
    ['credentials', { uri: 'valkey://:a@h', credentials: () => ({ password: 'b' }) }],
    ['db', { uri: 'valkey://h/1', db: 2 }],
    ['tls', { uri: 'valkeys://h', tls: false }],
    ['resilience.timeout', { uri: 'valkey://h?timeout=1s', resilience: { timeout: '2s' } }],
    ['tls.ca', { tls: { ca: '-----BEGIN', caFile: 'b' } }],
    ['tls.ca', { tls: { ca: '-----BEGIN', caBase64: 'b' } }],
    ['tls.caFile', { tls: { caFile: 'a', caBase64: 'b' } }],
    ['tls.cert', { tls: { cert: '-----BEGIN', certFile: 'b', keyFile: 'c' } }],
    ['tls.key', { tls: { certFile: 'b', key: '-----BEGIN', keyFile: 'c' } }],
    ['mode', { mode: 'cluster' }],
    ['mode', { mode: 'sentinel' }],
  ])('[CFG-5] %s in %j', (path, options) => {
    expect(failure(() => resolve(options))).toContain(`\n- ${path} `);
  });
});

describe('what does not compile', () => {
  it('[CFG-5] refuses illegal combinations at compile time', () => {
    const refused: readonly ValkeyOptions[] = [
      // @ts-expect-error a cluster has no database but 0
      { mode: 'cluster', nodes: 'a', db: 1 },
      // @ts-expect-error sentinels need the name of the primary
      { mode: 'sentinel', sentinel: { nodes: 'a' } },
      // @ts-expect-error a host and a connection string are two addresses
      { host: 'h', uri: 'valkey://h' },
      // @ts-expect-error nodes need the mode cluster
      { nodes: 'a', host: 'h' },
      // @ts-expect-error nothing to log in to
      { mode: 'embedded', credentials: { password: 'p' } },
      // @ts-expect-error a certificate needs its key
      { host: 'h', tls: { certFile: 'cert.pem' } },
      // @ts-expect-error one authority only
      { host: 'h', tls: { ca: 'pem', caFile: 'ca.pem' } },
    ];
    for (const options of refused) expect(() => resolveSettings(options, {})).toThrow('The Valkey configuration');
  });
});

describe('secrets', () => {
  const canary = 'c4n4ry-s3cret';
  const printed = (value: unknown): string =>
    [inspect(value, { depth: 9 }), JSON.stringify(value), String(value), inspect(value, { showHidden: false })].join();

  it.each<[string, object, Environment]>([
    ['credentials', { credentials: { username: 'app', password: canary } }, {}],
    ['uri', { uri: `valkey://app:${canary}@h` }, {}],
    ['sentinel', { mode: 'sentinel', sentinel: { name: 'm', nodes: 'a', username: 'u', password: canary } }, {}],
    ['VALKEY_PASSWORD', {}, { VALKEY_PASSWORD: canary }],
    ['REDIS_URL', {}, { REDIS_URL: `redis://:${canary}@h` }],
  ])('[CFG-6] never prints the secret of %s', (_, options, environment) => {
    const { settings, ...rest } = resolve(options, environment);
    expect(printed(settings) + printed(rest) + printed(settings.credentials)).not.toContain(canary);
    expect(printed(settings)).toContain('[redacted]');
    const { topology, credentials } = settings;
    const holder = topology.mode === 'sentinel' ? topology.sentinelCredentials : credentials;
    expect((holder as { password: string }).password).toBe(canary);
  });

  it.each<[string, object, Environment]>([
    ['credentials', { credentials: canary }, {}],
    ['credentials.password', { credentials: { password: [canary] } }, {}],
    ['host', { host: `redis://:${canary}@h` }, {}],
    ['nodes', { mode: 'cluster', nodes: `:${canary}@h` }, {}],
    ['pool', { pool: [canary] }, {}],
    ['uri', { uri: `valkey://:${canary}@` }, {}],
    ['uri', { uri: `http://:${canary}@h` }, {}],
    ['uri', { uri: `valkey://:${canary}%zz@h` }, {}],
    ['uri', { uri: `valkey://:ab/${canary}?x@h/0` }, {}],
    ['uri', { uri: `valkey://${canary}@h` }, {}],
    ['tls.key', { tls: { certFile: 'x', key: canary } }, {}],
    ['tls.caBase64', { tls: { caBase64: canary } }, {}],
    ['VALKEY_URI', {}, { VALKEY_URI: canary }],
    ['REDIS_URL', {}, { REDIS_URL: `redis://:${canary}@h:x` }],
    ['CACHE_CA_CERT_BASE64', {}, { CACHE_CA_CERT_BASE64: canary }],
    ['VALKEY_PASSWORD', { uri: 'valkey://h' }, { VALKEY_URI: 'valkey://:x@h', VALKEY_PASSWORD: canary }],
  ])('[CFG-6] never tells the secret in an error about %s', (subject, options, environment) => {
    let thrown: unknown;
    try {
      resolve(options, environment);
    } catch (error) {
      thrown = error;
    }
    expect(isValkeyError(thrown) && thrown.message).toContain(`- ${subject} `);
    expect(printed(thrown) + String((thrown as Error).stack)).not.toContain(canary);
  });
});
