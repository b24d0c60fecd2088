import { type Environment, VARIABLES } from '../../../lib/options/environment.js';
import { resolveSettings } from '../../../lib/options/resolve.js';
import { CERTIFICATE } from './certificates.js';
import { failure } from './failure.js';

function resolve(environment: Environment, options: object = {}) {
  return resolveSettings(options, environment);
}

const single = (host: string, port = 6379, db = 0) => ({ topology: { mode: 'single', address: { host, port }, db } });
const cluster = {
  topology: {
    mode: 'cluster',
    nodes: [
      { host: 'a', port: 1 },
      { host: 'b', port: 6379 },
    ],
  },
};
const SENTINELS = { VALKEY_SENTINEL_ADDRS: 's1,s2:5', VALKEY_SENTINEL_MASTER_NAME: 'main' };
const sentinel = {
  topology: {
    mode: 'sentinel',
    name: 'main',
    sentinels: [
      { host: 's1', port: 26379 },
      { host: 's2', port: 5 },
    ],
  },
};
const base64 = Buffer.from(CERTIFICATE).toString('base64');

/** Each variable: the environment that shows it, what it leads to, and a value it does not take. */
const TABLE: readonly (readonly [
  name: string,
  environment: Environment,
  expected: object,
  wrong: string | undefined,
])[] = [
  ['VALKEY_PROVIDER', { VALKEY_PROVIDER: 'mine' }, { driver: 'mine' }, undefined],
  ['VALKEY_MODE', { VALKEY_MODE: 'Single' }, single('localhost'), 'ring'],
  ['VALKEY_HOST', { VALKEY_HOST: 'h' }, single('h'), 'h:1'],
  ['VALKEY_PORT', { VALKEY_PORT: ' 7000 ' }, single('localhost', 7000), '65536'],
  ['VALKEY_URI', { VALKEY_URI: 'valkeys://h:1/2' }, { ...single('h', 1, 2), tls: { ca: undefined } }, 'h:1'],
  ['VALKEY_ADDRS', { VALKEY_ADDRS: 'a:1,b' }, cluster, 'a:x'],
  ['VALKEY_CLUSTER_ADDRS', { VALKEY_CLUSTER_ADDRS: 'a:1,b' }, cluster, ','],
  [
    'VALKEY_USERNAME',
    { VALKEY_USERNAME: 'app', VALKEY_PASSWORD: 'p' },
    { credentials: { username: 'app' } },
    undefined,
  ],
  ['VALKEY_PASSWORD', { VALKEY_PASSWORD: 'p' }, { credentials: expect.anything() }, undefined],
  ['VALKEY_DB', { VALKEY_DB: '3' }, single('localhost', 6379, 3), '16'],
  ['VALKEY_KEY_PREFIX', { VALKEY_KEY_PREFIX: 'shop:' }, { keyPrefix: 'shop:' }, undefined],
  ['VALKEY_CLUSTER_MODE', { VALKEY_CLUSTER_MODE: 'yes', VALKEY_ADDRS: 'a:1,b' }, cluster, 'on'],
  ['VALKEY_SENTINEL_MODE', { VALKEY_SENTINEL_MODE: '1', ...SENTINELS }, sentinel, '2'],
  ['VALKEY_SENTINEL_ADDRS', SENTINELS, sentinel, ':5'],
  ['VALKEY_SENTINEL_MASTER_NAME', SENTINELS, sentinel, undefined],
  [
    'VALKEY_SENTINEL_PASSWORD',
    { ...SENTINELS, VALKEY_SENTINEL_PASSWORD: 'p' },
    { topology: { sentinelCredentials: expect.anything() } },
    undefined,
  ],
  ['VALKEY_POOL_SIZE', { VALKEY_POOL_SIZE: '5' }, { pool: { size: 5, maxIdle: 5 } }, '0'],
  ['VALKEY_MIN_IDLE_CONNS', { VALKEY_MIN_IDLE_CONNS: '2' }, { pool: { minIdle: 2 } }, '-1'],
  ['VALKEY_MAX_IDLE_CONNS', { VALKEY_MAX_IDLE_CONNS: '3' }, { pool: { maxIdle: 3 } }, '1.5'],
  ['VALKEY_DIAL_TIMEOUT', { VALKEY_DIAL_TIMEOUT: '1m' }, { timeouts: { dial: 60_000 } }, '1 week'],
  ['VALKEY_READ_TIMEOUT', { VALKEY_READ_TIMEOUT: '250' }, { timeouts: { read: 250 } }, '0'],
  ['VALKEY_WRITE_TIMEOUT', { VALKEY_WRITE_TIMEOUT: '8ms' }, { timeouts: { write: 8 } }, '-1s'],
  ['VALKEY_MAX_RETRIES', { VALKEY_MAX_RETRIES: '0' }, { retry: { attempts: 0 } }, 'many'],
  ['VALKEY_MIN_RETRY_BACKOFF', { VALKEY_MIN_RETRY_BACKOFF: '9ms' }, { retry: { min: 9 } }, '0'],
  ['VALKEY_MAX_RETRY_BACKOFF', { VALKEY_MAX_RETRY_BACKOFF: '2s' }, { retry: { max: 2_000 } }, 'x'],
  ['VALKEY_CIRCUIT_BREAKER_THRESHOLD', { VALKEY_CIRCUIT_BREAKER_THRESHOLD: '9' }, { breaker: { failures: 9 } }, '0'],
  ['VALKEY_TLS_ENABLED', { VALKEY_TLS_ENABLED: 'yes' }, { tls: { ca: undefined } }, 'maybe'],
  // Of files and certificates tls.test.ts has the details.
  ['VALKEY_TLS_CERT_FILE', {}, {}, '/none'],
  ['VALKEY_TLS_KEY_FILE', {}, {}, '/none'],
  ['VALKEY_TLS_CA_CERT_FILE', {}, {}, '/none'],
  [
    'VALKEY_TLS_INSECURE_SKIP_VERIFY',
    { VALKEY_TLS_INSECURE_SKIP_VERIFY: 'true', VALKEY_HOST: 'h' },
    { tls: { insecureSkipVerify: true } },
    'x',
  ],
  ['VALKEY_LOG_LEVEL', { VALKEY_LOG_LEVEL: 'DEBUG' }, { logLevel: 'debug' }, 'loud'],
  ['CACHE_MODE', { CACHE_MODE: 'single', CACHE_ADDRS: 'a:1' }, single('a', 1), 'sentinel'],
  ['CACHE_ADDRS', { CACHE_ADDRS: 'a:1,b' }, cluster, 'a:1:2'],
  ['CACHE_USERNAME', { CACHE_USERNAME: 'app', CACHE_PASSWORD: 'p' }, { credentials: { username: 'app' } }, undefined],
  ['CACHE_PASSWORD', { CACHE_PASSWORD: 'p' }, { credentials: expect.anything() }, undefined],
  ['CACHE_TLS_ENABLED', { CACHE_TLS_ENABLED: 'true' }, { tls: { ca: undefined } }, 'wahr'],
  ['CACHE_CA_CERT_BASE64', { CACHE_CA_CERT_BASE64: base64 }, { tls: { ca: CERTIFICATE } }, 'x!'],
  ['CACHE_POOL_SIZE', { CACHE_POOL_SIZE: '5' }, { pool: { size: 5 } }, '1001'],
  ['CACHE_MAX_RETRIES', { CACHE_MAX_RETRIES: '5' }, { retry: { attempts: 5 } }, '-1'],
  ['CACHE_DIAL_TIMEOUT', { CACHE_DIAL_TIMEOUT: '1s' }, { timeouts: { dial: 1_000 } }, 'x'],
  ['CACHE_READ_TIMEOUT', { CACHE_READ_TIMEOUT: '1s' }, { timeouts: { read: 1_000 } }, 'x'],
  ['CACHE_WRITE_TIMEOUT', { CACHE_WRITE_TIMEOUT: '1s' }, { timeouts: { write: 1_000 } }, 'x'],
  ['REDIS_HOST', { REDIS_HOST: 'h' }, single('h'), 'a b'],
  ['REDIS_PORT', { REDIS_HOST: 'h', REDIS_PORT: '7000' }, single('h', 7000), 'tcp://10.0.0.1:6379'],
  ['REDIS_USERNAME', { REDIS_USERNAME: 'app', REDIS_PASSWORD: 'p' }, { credentials: { username: 'app' } }, undefined],
  ['REDIS_PASSWORD', { REDIS_PASSWORD: 'p' }, { credentials: expect.anything() }, undefined],
  ['REDIS_URL', { REDIS_URL: 'redis://h:1' }, single('h', 1), 'h:1'],
];

it('[CFG-2] shows every variable that is read', () => {
  expect(TABLE.map(([name]) => name)).toEqual(Object.keys(VARIABLES));
});

it.each(TABLE)('[CFG-2] %s is read: %j', (_, environment, expected) => {
  const { settings } = resolve(environment);
  expect(settings).toMatchObject(expected);
});

it.each(TABLE.filter(([, , , wrong]) => wrong !== undefined))(
  '[CFG-3] names %s when it is wrong',
  (name, environment, _, wrong) => {
    const message = failure(() => resolve({ ...environment, [name]: wrong }));
    expect(message).toContain(`\n- ${name} `);
  },
);

it.each(TABLE.filter(([, , , wrong]) => wrong !== undefined && !/(?:FILE|BASE64)$/.test(wrong)))(
  '[CFG-3] names %s when it is wrong, though an option overrules it',
  (name, _, __, wrong) => {
    if (/FILE|BASE64/.test(name)) return;
    expect(failure(() => resolve({ [name]: wrong }, { mode: 'embedded' }))).toContain(`\n- ${name} `);
  },
);

it.each(Object.keys(VARIABLES))('[CFG-3] takes an empty %s as not set', (name) => {
  expect(resolve({ [name]: '' })).toEqual(resolve({}));
});

it('[CFG-3] tells what is expected, and where a value of Kubernetes comes from', () => {
  expect(failure(() => resolve({ VALKEY_DB: 'x' }))).toContain(
    '- VALKEY_DB is "x": it must be a whole number from 0 to 15.',
  );
  expect(failure(() => resolve({ VALKEY_PORT: 'tcp://10.0.0.1:6379' }))).toContain('enableServiceLinks: false');
});

describe('precedence', () => {
  const all = {
    VALKEY_READ_TIMEOUT: '2',
    CACHE_READ_TIMEOUT: '3',
    CACHE_WRITE_TIMEOUT: '4',
    VALKEY_PASSWORD: 'v',
    REDIS_PASSWORD: 'r',
  };

  it.each<[string, object, Environment, object]>([
    ['options beat VALKEY_', { timeouts: { read: 1 } }, all, { timeouts: { read: 1, write: 4, dial: 5_000 } }],
    ['VALKEY_ beats CACHE_, field by field', {}, all, { timeouts: { read: 2, write: 4 } }],
    ['VALKEY_HOST beats CACHE_ADDRS', {}, { VALKEY_HOST: 'v', CACHE_ADDRS: 'a' }, single('v')],
    ['CACHE_ADDRS beats REDIS_HOST', {}, { CACHE_ADDRS: 'a:1,b', REDIS_HOST: 'r' }, cluster],
    ['nodes beat VALKEY_HOST', { mode: 'cluster', nodes: 'a:1,b' }, { VALKEY_HOST: 'v' }, cluster],
    ['a mode takes its addresses from the variables', { mode: 'cluster' }, { VALKEY_ADDRS: 'a:1,b' }, cluster],
    ['a mode takes its sentinels from the variables', { mode: 'sentinel' }, SENTINELS, sentinel],
    [
      'a mode takes its one node from a connection string',
      { mode: 'cluster' },
      { VALKEY_URI: 'valkey://a:1' },
      { topology: { nodes: [{ host: 'a', port: 1 }] } },
    ],
    ['a host keeps VALKEY_PORT', { host: 'o' }, { VALKEY_HOST: 'v', VALKEY_PORT: '7' }, single('o', 7)],
    ['a host does not take REDIS_PORT', { host: 'o' }, { REDIS_HOST: 'r', REDIS_PORT: '7' }, single('o')],
    ['VALKEY_PORT goes with REDIS_HOST', {}, { VALKEY_PORT: '7', REDIS_HOST: 'r', REDIS_PORT: '8' }, single('r', 7)],
    ['switching verification off asks for a server', {}, { VALKEY_TLS_INSECURE_SKIP_VERIFY: '1' }, single('localhost')],
    ['REDIS_PORT alone is a server', {}, { REDIS_PORT: '8' }, single('localhost', 8)],
    ['a port goes with a connection string', { port: 9 }, { VALKEY_URI: 'valkey://v:1/2' }, single('v', 9, 2)],
    [
      'a host switches a connection string off',
      { host: 'o' },
      { VALKEY_URI: 'valkeys://u:p@v:1/2' },
      { ...single('o'), tls: undefined, credentials: undefined },
    ],
    [
      'a database is not taken to a cluster from behind',
      { mode: 'cluster', nodes: 'a:1,b' },
      { VALKEY_DB: '3' },
      cluster,
    ],
    [
      'CLUSTER_MODE=false switches ADDRS off',
      {},
      { VALKEY_CLUSTER_MODE: 'false', VALKEY_ADDRS: 'a', VALKEY_HOST: 'h' },
      single('h'),
    ],
    [
      'SENTINEL_MODE=false switches SENTINEL_ADDRS off',
      {},
      { VALKEY_SENTINEL_MODE: 'false', ...SENTINELS, VALKEY_HOST: 'h' },
      single('h'),
    ],
    [
      'mode embedded beats every server',
      { mode: 'embedded' },
      { VALKEY_PROVIDER: 'valkey', VALKEY_HOST: 'h', ...all },
      { driver: 'embedded', topology: { mode: 'embedded' }, credentials: undefined },
    ],
    [
      'retry: false beats MAX_RETRIES',
      { resilience: { retry: false } },
      { VALKEY_MAX_RETRIES: '9' },
      { retry: { attempts: 0 } },
    ],
    [
      'breaker: false beats the threshold',
      { resilience: { breaker: false } },
      { VALKEY_CIRCUIT_BREAKER_THRESHOLD: '9' },
      { breaker: undefined },
    ],
    ['agreeing names of one thing are fine', {}, { VALKEY_ADDRS: 'a:1,b', VALKEY_CLUSTER_ADDRS: 'a:1, b' }, cluster],
  ])('[CFG-2] %s', (_, options, environment, expected) => {
    expect(resolve(environment, options).settings).toMatchObject(expected);
  });

  it.each<[string, object, Environment, string, string | undefined]>([
    ['an option', { credentials: { password: 'o' } }, { VALKEY_PASSWORD: 'v', VALKEY_USERNAME: 'app' }, 'o', undefined],
    ['VALKEY_', {}, { VALKEY_PASSWORD: 'v', CACHE_PASSWORD: 'c', REDIS_PASSWORD: 'r' }, 'v', undefined],
    ['CACHE_', {}, { CACHE_PASSWORD: 'c', REDIS_PASSWORD: 'r', VALKEY_USERNAME: 'app' }, 'c', 'app'],
    [
      'a connection string',
      {},
      { VALKEY_URI: 'valkey://:u@h', REDIS_PASSWORD: 'r', REDIS_USERNAME: 'old' },
      'u',
      undefined,
    ],
    ['a variable before a connection string', {}, { VALKEY_PASSWORD: 'v', REDIS_URL: 'redis://app:u@h' }, 'v', 'app'],
  ])('[CFG-2] the password comes from %s', (_, options, environment, password, username) => {
    const { credentials } = resolve(environment, options).settings;
    expect(credentials).toHaveProperty('password', password);
    expect((credentials as { username?: string }).username).toBe(username);
  });
});

it.each<[string, Environment]>([
  ['VALKEY_HOST', { VALKEY_HOST: 'h', VALKEY_URI: 'valkey://v' }],
  ['VALKEY_PORT', { VALKEY_PORT: '1', VALKEY_URI: 'valkey://v' }],
  ['VALKEY_ADDRS', { VALKEY_HOST: 'h', VALKEY_ADDRS: 'a' }],
  ['VALKEY_SENTINEL_ADDRS', { VALKEY_HOST: 'h', ...SENTINELS }],
  ['VALKEY_CLUSTER_MODE', { VALKEY_MODE: 'single', VALKEY_CLUSTER_MODE: 'true', VALKEY_ADDRS: 'a' }],
  ['VALKEY_SENTINEL_MODE', { VALKEY_CLUSTER_MODE: 'true', VALKEY_SENTINEL_MODE: 'true', VALKEY_ADDRS: 'a' }],
  ['VALKEY_CLUSTER_MODE', { VALKEY_MODE: 'cluster', VALKEY_CLUSTER_MODE: 'false', VALKEY_ADDRS: 'a' }],
  ['VALKEY_CLUSTER_ADDRS', { VALKEY_ADDRS: 'a', VALKEY_CLUSTER_ADDRS: 'b' }],
  ['VALKEY_CLUSTER_MODE', { VALKEY_CLUSTER_MODE: 'true' }],
  ['VALKEY_SENTINEL_MODE', { VALKEY_SENTINEL_MODE: 'true', VALKEY_SENTINEL_MASTER_NAME: 'm' }],
  ['VALKEY_SENTINEL_ADDRS', { VALKEY_SENTINEL_ADDRS: 'a' }],
  ['CACHE_ADDRS', { CACHE_MODE: 'single', CACHE_ADDRS: 'a,b' }],
  ['VALKEY_DB', { VALKEY_ADDRS: 'a', VALKEY_DB: '1' }],
  ['VALKEY_DB', { CACHE_ADDRS: 'a', VALKEY_DB: '1' }],
  ['VALKEY_USERNAME', { VALKEY_USERNAME: 'app' }],
  ['VALKEY_PASSWORD', { VALKEY_URI: 'valkey://:a@h', VALKEY_PASSWORD: 'b' }],
  ['REDIS_PASSWORD', { REDIS_URL: 'redis://:a@h', REDIS_PASSWORD: 'b' }],
  ['VALKEY_TLS_ENABLED', { VALKEY_URI: 'valkeys://h', VALKEY_TLS_ENABLED: 'false' }],
  ['VALKEY_PROVIDER', { VALKEY_PROVIDER: 'valkey', VALKEY_MODE: 'embedded' }],
  ['VALKEY_MIN_IDLE_CONNS', { VALKEY_MIN_IDLE_CONNS: '11' }],
  ['VALKEY_MAX_IDLE_CONNS', { VALKEY_MAX_IDLE_CONNS: '6', VALKEY_POOL_SIZE: '5' }],
  ['VALKEY_MIN_RETRY_BACKOFF', { VALKEY_MIN_RETRY_BACKOFF: '1s' }],
  ['VALKEY_MAX_RETRY_BACKOFF', { VALKEY_MAX_RETRY_BACKOFF: '7ms' }],
])('[CFG-5] %s is refused in %j', (name, environment) => {
  expect(failure(() => resolve(environment))).toContain(`\n- ${name} `);
});

describe('warnings', () => {
  it.each([
    ['VALKEY_PROT', 'VALKEY_PORT'],
    ['VALKEY_HOTS', 'VALKEY_HOST'],
    ['VALKEY_TLS', 'VALKEY_TLS_ENABLED'],
    ['VALKEY_PASWORD', 'VALKEY_PASSWORD'],
  ])('[CFG-3] tells that %s was probably meant to be %s', (name, meant) => {
    const { warnings } = resolve({ [name]: 'value-of-it' });
    expect(warnings).toEqual([`${name} is not a variable of this module and has no effect. Did you mean ${meant}?`]);
  });

  it('[CFG-3] is silent about variables of somebody else', () => {
    expect(
      resolve({ VALKEY_SERVER_BIN: 'x', VALKEY_PORT_6379_TCP: 'y', VALKEY_EXTRA_FLAGS: 'z', PORT: '1' }).warnings,
    ).toEqual([]);
  });

  it.each<[string, Environment]>([
    ['VALKEY_HOST', { VALKEY_MODE: 'embedded', VALKEY_HOST: 'h' }],
    ['VALKEY_URI', { VALKEY_MODE: 'embedded', VALKEY_URI: 'valkey://h' }],
    ['VALKEY_PORT', { VALKEY_MODE: 'cluster', VALKEY_ADDRS: 'a', VALKEY_PORT: '1' }],
    ['VALKEY_ADDRS', { VALKEY_MODE: 'sentinel', ...SENTINELS, VALKEY_ADDRS: 'a' }],
    ['VALKEY_ADDRS', { VALKEY_MODE: 'single', VALKEY_HOST: 'h', VALKEY_ADDRS: 'a' }],
    ['VALKEY_SENTINEL_PASSWORD', { VALKEY_HOST: 'h', VALKEY_SENTINEL_PASSWORD: 'p' }],
  ])('[CFG-2] tells that %s has no effect in %j', (name, environment) => {
    expect(resolve(environment).warnings).toEqual([expect.stringContaining(`${name} has no effect`)]);
  });
});
