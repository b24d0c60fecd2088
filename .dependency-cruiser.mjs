/** The layers of docs/architecture.md as rules. An arrow that is not allowed here does not exist. */
const only = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

/** Folders of lib/ from the bottom up, with what each may import of the others. */
const LAYERS = {
  core: [],
  options: ['core'],
  driver: ['core', 'options'],
  resilience: ['core', 'options', 'driver'],
  client: ['core', 'options', 'driver', 'resilience'],
  features: ['core', 'options', 'driver', 'client'],
  nest: ['core', 'options', 'driver', 'resilience', 'client', 'features'],
  prometheus: ['core', 'driver', 'resilience', 'client'],
  opentelemetry: ['core', 'driver', 'resilience', 'client'],
  keyv: ['core', 'client'],
  msgpack: ['core'],
  throttler: ['core', 'options', 'driver', 'client', 'features'],
  testing: ['core', 'options', 'driver', 'resilience', 'client', 'features', 'nest'],
};

const layers = Object.entries(LAYERS).map(([layer, below]) =>
  only(
    `layer-${layer}`,
    { path: `^lib/${layer}/` },
    { path: '^lib/', pathNot: `^lib/(${[layer, ...below].join('|')})/` },
    `lib/${layer} may import of lib/ only: ${[layer, ...below].join(', ')}`,
  ),
);

export default {
  forbidden: [
    ...layers,
    only(
      'known-layers',
      { path: '^lib/', pathNot: `^lib/(${Object.keys(LAYERS).join('|')})/|^lib/index\\.ts$` },
      {},
      'A folder that is no layer yet: say in LAYERS what it may import.',
    ),
    only('no-cycles', {}, { circular: true }, 'A cycle means that two files are one, or that a third is missing.'),
    only(
      'nest-in-nest',
      { path: '^lib/', pathNot: '^lib/(nest|testing)/' },
      { path: 'node_modules/(@nestjs|rxjs|reflect-metadata)(/|$)', pathNot: 'node_modules/@nestjs/throttler(/|$)' },
    ),
    only(
      'iovalkey-in-its-driver',
      { path: '^lib/', pathNot: '^lib/driver/valkey/' },
      { path: 'node_modules/(iovalkey|@iovalkey)(/|$)' },
    ),
    only(
      'cockatiel-in-resilience',
      { path: '^lib/', pathNot: '^lib/resilience/' },
      { path: 'node_modules/cockatiel(/|$)' },
    ),
    only(
      'prom-client-in-prometheus',
      { path: '^lib/', pathNot: '^lib/prometheus/' },
      { path: 'node_modules/prom-client(/|$)' },
    ),
    only(
      'opentelemetry-in-its-folder',
      { path: '^lib/', pathNot: '^lib/opentelemetry/' },
      { path: 'node_modules/@opentelemetry(/|$)' },
    ),
    only(
      'terminus-in-its-folder',
      { path: '^lib/', pathNot: '^lib/nest/terminus/' },
      { path: 'node_modules/@nestjs/terminus(/|$)' },
    ),
    only('msgpack-in-its-folder', { path: '^lib/', pathNot: '^lib/msgpack/' }, { path: 'node_modules/@msgpack(/|$)' }),
    only(
      'no-keyv',
      { path: '^lib/' },
      { path: 'node_modules/(keyv|@keyv|cache-manager)(/|$)' },
      'The store fits by its shape, so that nobody needs Keyv who does not use it.',
    ),
    only(
      'structured-headers-in-rate-limit',
      { path: '^lib/', pathNot: '^lib/nest/(rate-limit|idempotency)/' },
      { path: 'node_modules/structured-headers(/|$)' },
    ),
    only(
      'stable-stringify-in-idempotency',
      { path: '^lib/', pathNot: '^lib/features/idempotency/' },
      { path: 'node_modules/safe-stable-stringify(/|$)' },
    ),
    only(
      'throttler-in-its-folder',
      { path: '^lib/', pathNot: '^lib/throttler/' },
      { path: 'node_modules/@nestjs/throttler(/|$)' },
    ),
    only(
      'etag-in-http-cache',
      { path: '^lib/', pathNot: '^lib/nest/http-cache/' },
      { path: 'node_modules/(@types/)?(etag|fresh)(/|$)' },
    ),
    only('zod-in-options', { path: '^lib/', pathNot: '^lib/options/' }, { path: 'node_modules/zod(/|$)' }),
    only(
      'features-are-strangers',
      { path: '^lib/features/([^/]+)/' },
      { path: '^lib/features/', pathNot: '^lib/features/$1/' },
      'What a feature needs of another it declares as a small interface; lib/nest supplies it.',
    ),
    only(
      'drivers-are-strangers',
      { path: '^lib/driver/(valkey|embedded)/' },
      { path: '^lib/driver/(valkey|embedded)/', pathNot: '^lib/driver/$1/' },
    ),
    only('public-only', { path: '^sample/' }, { path: '^lib/' }, 'The sample uses the package as its users do.'),
    only(
      'no-dev-dependencies',
      { path: '^lib/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    ),
    only('resolvable', {}, { couldNotResolve: true, pathNot: '^nestjs-valkey' }),
    only(
      'no-orphans',
      {
        orphan: true,
        path: '^lib/',
        pathNot:
          '\\.d\\.ts$|^lib/(index|testing/index|prometheus/index|opentelemetry/index|keyv/index|msgpack/index|nest/terminus/index)\\.ts$',
      },
      {},
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules|dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    parser: 'swc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
