import { type Field, type Fields, type Layer, type Mode, type Sourced, pick } from './draft.js';
import type { Problems } from './problem.js';
import { SERVER_PORT } from './address.js';
import { guard } from './secret.js';
import type { Address, Credentials, TopologySettings } from './settings.js';

/** The bounds of the in-process store when none are given. */
export const EMBEDDED_DEFAULTS = { maxEntries: 100_000, maxBytes: 64 * 1024 * 1024 } as const;

/** Which topology the sources came down to. */
export interface Chosen {
  readonly topology: TopologySettings;
  /** What the remaining fields are taken from, in order: a connection string whose server was not taken is left out. */
  readonly sources: readonly Fields[];
  /** Nobody named a server, so there is none. */
  readonly implicitlyEmbedded: boolean;
  /** Variables that were set and do nothing in this topology. */
  readonly warnings: readonly string[];
}

interface Claim {
  readonly mode: Mode;
  /** What said so. */
  readonly from: string;
  /** It was written as a mode, and not concluded from the kind of address. */
  readonly written: boolean;
}

/** Fields that, without naming an address, only make sense with a server: it is then the local one. */
const SERVER_HINTS: readonly Field[] = [
  'username',
  'password',
  'provider',
  'db',
  'ca',
  'caFile',
  'caBase64',
  'certFile',
  'cert',
  'key',
  'keyFile',
];

const SENTINEL_FIELDS: readonly Field[] = ['sentinelNodes', 'sentinelName', 'sentinelPassword'];
const UNUSED: Readonly<Record<Mode, readonly Field[]>> = {
  single: SENTINEL_FIELDS,
  cluster: ['host', 'port', ...SENTINEL_FIELDS],
  sentinel: ['host', 'port', 'nodes'],
  embedded: ['host', 'port', 'nodes', 'username', 'password', 'db', 'tls', ...SENTINEL_FIELDS],
};

/**
 * Decides where to connect. The first layer that says anything about it chooses the mode; addresses come from there,
 * or, for what it leaves open, from the layers behind it as far as they speak of the same mode.
 */
export function chooseTopology(layers: readonly Layer[], problems: Problems): Chosen {
  const claims = layers.map((layer) => claimOf(layer, problems));
  const decider = claims.findIndex((claim) => claim !== undefined);
  const claim = claims[decider] ?? impliedServer(layers);
  if (!claim) {
    const sources = layers.map(({ fields }) => fields);
    return { topology: embedded(sources), sources, implicitlyEmbedded: true, warnings: [] };
  }
  const uriLayer = ownerOfUri(layers, claim.mode);
  const sources = layers.flatMap((layer) => (layer === uriLayer ? [layer.fields, layer.uri] : [layer.fields]));
  const warnings = decider > 0 ? unused(layers[decider], claim, uriLayer) : [];
  const topology = build({ claim, layers, sources, uri: uriLayer?.uri }, problems);
  checkDriver(topology.mode, layers, decider, problems);
  return { topology, sources, implicitlyEmbedded: false, warnings };
}

function claimOf(layer: Layer, problems: Problems): Claim | undefined {
  const { fields, uri } = layer;
  const written: Claim[] = [];
  if (fields.mode) written.push({ mode: fields.mode.value, from: fields.mode.from, written: true });
  if (fields.clusterMode?.value) written.push({ mode: 'cluster', from: fields.clusterMode.from, written: true });
  if (fields.sentinelMode?.value) written.push({ mode: 'sentinel', from: fields.sentinelMode.from, written: true });
  const implied: Claim[] = [];
  const imply = (mode: Mode, sourced: Sourced<unknown> | undefined): void => {
    if (sourced) implied.push({ mode, from: sourced.from, written: false });
  };
  imply('single', uri.host ?? fields.host ?? fields.port);
  imply('cluster', uri.nodes ?? (fields.clusterMode?.value === false ? undefined : fields.nodes));
  imply('sentinel', fields.sentinelMode?.value === false ? undefined : (fields.sentinelNodes ?? fields.sentinelName));
  if (fields.driver?.value === 'embedded') imply('embedded', fields.driver);
  const claims = written.length > 0 ? written : implied;
  checkSingle(claims, layer, problems);
  return claims[0];
}

/** Exactly one topology: two that differ, or a connection string beside an address, leave open which one is meant. */
function checkSingle(claims: readonly Claim[], { fields, uri }: Layer, problems: Problems): void {
  const [first] = claims;
  const other = claims.find(({ mode }) => mode !== first?.mode);
  if (first && other) {
    problems.add(
      other.from,
      `means mode '${other.mode}', but ${first.from} means '${first.mode}': there is exactly one topology. Keep one of them.`,
    );
  }
  const address = fields.host ?? fields.port;
  const inside = uri.host ?? uri.nodes;
  if (address && inside && first?.mode === 'single') {
    problems.add(address.from, `and ${inside.from} exclude each other: keep one of them.`);
  }
  const refused = [
    { toggle: fields.clusterMode, mode: 'cluster' },
    { toggle: fields.sentinelMode, mode: 'sentinel' },
  ].find(({ toggle, mode }) => toggle?.value === false && fields.mode?.value === mode);
  if (refused)
    problems.add(
      refused.toggle?.from ?? '',
      `is false, but ${fields.mode?.from} is '${refused.mode}': keep one of them.`,
    );
}

function impliedServer(layers: readonly Layer[]): Claim | undefined {
  const sources = layers.map(({ fields }) => fields);
  const hint = SERVER_HINTS.map((field) => pick(sources, field)).find((sourced) => sourced !== undefined);
  const enabled = sources.flatMap(({ tls, insecureSkipVerify }) => [tls, insecureSkipVerify]).find((on) => on?.value);
  const from = hint?.from ?? enabled?.from ?? pick(sources, 'driver')?.from;
  return from === undefined ? undefined : { mode: 'single', from, written: false };
}

/** The layer whose connection string names the server, when one does and nobody before it names another. */
function ownerOfUri(layers: readonly Layer[], mode: Mode): Layer | undefined {
  if (mode === 'embedded' || mode === 'sentinel') return undefined;
  const first = layers.find(
    ({ fields, uri }) => (mode === 'single' ? fields.host : fields.nodes) ?? uri.host ?? uri.nodes,
  );
  return first && (first.uri.host ?? first.uri.nodes) ? first : undefined;
}

/** What the topology of a chosen mode is made of. */
interface Material {
  readonly claim: Claim;
  readonly layers: readonly Layer[];
  readonly sources: readonly Fields[];
  /** The connection string that names the server. */
  readonly uri: Fields | undefined;
}

function build(material: Material, problems: Problems): TopologySettings {
  const { claim, sources } = material;
  switch (claim.mode) {
    case 'single':
      return { mode: 'single', address: singleAddress(material, problems), db: database(sources) };
    case 'cluster':
      return cluster(material, problems);
    case 'sentinel':
      return sentinel(claim, sources, problems);
    case 'embedded':
      return embedded(sources);
  }
}

function singleAddress({ claim, layers, sources, uri }: Material, problems: Problems): Address {
  const host = pick(sources, 'host');
  const several = uri?.nodes ?? (claim.written ? pick(sources, 'nodes') : undefined);
  if (!host && several) {
    // CACHE_MODE=single comes with its one address in CACHE_ADDRS.
    const [only] = several.value;
    if (only && several.value.length === 1) return only;
    problems.add(
      several.from,
      `names several servers, but ${claim.from} means mode 'single', which has one: name one, or choose mode 'cluster'.`,
    );
  }
  // REDIS_PORT belongs to REDIS_HOST: left over from an older server, it must not be joined to the name of a newer.
  const redis = layers.find(({ rank }) => rank === 'REDIS_')?.fields;
  const redisAnswers = !host || redis?.host === host;
  const port = pick(redisAnswers ? sources : sources.filter((source) => source !== redis), 'port');
  return { host: host?.value ?? 'localhost', port: port?.value ?? SERVER_PORT };
}

function cluster({ claim, sources, uri }: Material, problems: Problems): TopologySettings {
  const seeds = sources.map((source) => source.nodes?.value ?? (source === uri ? seedOf(source) : undefined));
  const owner = seeds.findIndex((found) => found !== undefined);
  if (owner < 0) problems.add(claim.from, 'means a cluster, which needs addresses: set nodes or VALKEY_ADDRS.');
  // A database number from behind the source of the addresses was meant for another server.
  const db = pick(owner < 0 ? sources : sources.slice(0, owner + 1), 'db');
  if (db && db.value !== 0) {
    problems.add(
      db.from,
      `is ${db.value}, but a cluster has the database 0 only: remove it. Use keyPrefix to keep keys apart.`,
    );
  }
  return { mode: 'cluster', nodes: seeds[owner] ?? [] };
}

/** The one host of a connection string, as first node of a cluster. */
function seedOf({ host, port }: Fields): readonly Address[] | undefined {
  return host && [{ host: host.value, port: port?.value ?? SERVER_PORT }];
}

function sentinel(claim: Claim, sources: readonly Fields[], problems: Problems): TopologySettings {
  const sentinels = pick(sources, 'sentinelNodes');
  const name = pick(sources, 'sentinelName');
  if (!sentinels)
    problems.add(claim.from, 'means sentinels, which need addresses: set sentinel.nodes or VALKEY_SENTINEL_ADDRS.');
  if (!name)
    problems.add(
      claim.from,
      'means sentinels, which need the name of the primary: set sentinel.name or VALKEY_SENTINEL_MASTER_NAME.',
    );
  const password = pick(sources, 'sentinelPassword');
  const username = pick(sources, 'sentinelUsername');
  if (username && !password) problems.add(username.from, 'needs sentinel.password beside it.');
  const credentials: Credentials | undefined = password && {
    ...(username && { username: username.value }),
    password: password.value,
  };
  return {
    mode: 'sentinel',
    sentinels: sentinels?.value ?? [],
    name: name?.value ?? '',
    sentinelCredentials: credentials && guard(credentials, ['password']),
    db: database(sources),
  };
}

function embedded(sources: readonly Fields[]): TopologySettings {
  return {
    mode: 'embedded',
    maxEntries: pick(sources, 'maxEntries')?.value ?? EMBEDDED_DEFAULTS.maxEntries,
    maxBytes: pick(sources, 'maxBytes')?.value ?? EMBEDDED_DEFAULTS.maxBytes,
  };
}

function database(sources: readonly Fields[]): number {
  return pick(sources, 'db')?.value ?? 0;
}

/** What the deciding layer sets for another mode than the one it chose. */
function unused(layer: Layer | undefined, { mode, from }: Claim, uriLayer: Layer | undefined): readonly string[] {
  const { fields = {}, uri = {} } = layer ?? {};
  const candidates = UNUSED[mode].map((field) => fields[field]);
  if (mode === 'single' && (fields.host ?? uri.host)) candidates.push(fields.nodes);
  if (layer !== uriLayer) candidates.push(uri.host ?? uri.nodes);
  return candidates
    .filter((sourced) => sourced !== undefined && sourced.value !== false)
    .map((sourced) => `${sourced?.from} has no effect, because ${from} means mode '${mode}'.`);
}

/** The two drivers of this package serve certain modes; one that does not fit is a contradiction, unless it lies behind. */
function checkDriver(mode: Mode, layers: readonly Layer[], decider: number, problems: Problems): void {
  const said = pick(
    layers.slice(0, decider + 1).map(({ fields }) => fields),
    'driver',
  );
  if (said && !serves(said.value, mode)) {
    problems.add(said.from, `is '${said.value}', which does not serve mode '${mode}'. Remove it, or change the mode.`);
  }
}

/** Whether a driver may be used in `mode`; of one that was registered by the user nothing is known here. */
export function serves(driver: string, mode: Mode): boolean {
  if (driver === 'embedded') return mode === 'embedded';
  return driver !== 'valkey' || mode !== 'embedded';
}
