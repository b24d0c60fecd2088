import { Cluster as NativeCluster } from 'iovalkey';
import type { Redis } from 'iovalkey';
import { ConfigurationError } from '../../core/errors.js';
import type { Address, Settings } from '../../options/settings.js';
import type {
  Driver,
  DriverStatus,
  NodeInfo,
  Operation,
  Route,
  Session,
  SubscriptionRequest,
  TrackingRequest,
} from '../driver.js';
import { ChangeFeed } from './change-feed.js';
import { Cluster } from './cluster.js';
import { CredentialKeeper } from './credential-keeper.js';
import type { Layout } from './layout.js';
import { OneServer } from './one-server.js';
import { formatAddress } from '../../options/address.js';
import { sharedPlan } from './plan.js';
import type { SharedPlan } from './plan.js';
import { SentinelGroup } from './sentinel-group.js';
import { Sentinels } from './sentinels.js';
import { Subscriber } from './subscriber.js';

/** What `native()` gives: iovalkey's own client, a cluster's for a cluster. */
export type ValkeyNative = Redis | NativeCluster;

/** The driver over iovalkey: single server, sentinels, cluster. */
export class ValkeyDriver implements Driver {
  readonly name = 'valkey';
  readonly topology: 'single' | 'cluster' | 'sentinel';
  readonly #layout: Layout;
  readonly #credentials: CredentialKeeper;
  readonly #subscriber: Subscriber;
  readonly #changes: ChangeFeed;
  readonly #listeners = new Set<(status: DriverStatus) => void>();
  readonly #readyListeners = new Set<(route: Route) => void>();
  #told: DriverStatus['state'] = 'idle';
  #native: NativeCluster | undefined;

  constructor(settings: Settings) {
    const { topology, pool, credentials, credentialRefresh, timeouts } = settings;
    this.#credentials = new CredentialKeeper({
      credentials,
      lead: credentialRefresh,
      timeout: timeouts.dial,
      renew: (fresh) => this.#layout.authenticate(fresh),
    });
    const plan: SharedPlan = {
      ...sharedPlan(settings, () => this.#credentials.current()),
      onReady: (route) => {
        for (const listener of this.#readyListeners) listener(route);
      },
    };
    const onChange = (): void => this.#onChange();
    switch (topology.mode) {
      case 'single': {
        this.topology = 'single';
        const server = new OneServer(formatAddress(topology.address), () => topology.address, plan, pool, {
          onState: onChange,
        });
        this.#layout = server;
        // Whoever wants to read from a replica may.
        this.#changes = changesOf(server, plan, false);
        this.#subscriber = new Subscriber({ ...plan, lane: 'subscriber', address: () => topology.address });
        break;
      }
      case 'sentinel': {
        this.topology = 'sentinel';
        const sentinelPlan = {
          sentinels: topology.sentinels,
          group: topology.name,
          credentials: topology.sentinelCredentials,
          tls: plan.tls,
          dialTimeout: plan.dialTimeout,
          identity: plan.identity,
        };
        const group = new SentinelGroup(sentinelPlan, plan, pool, () => {
          // The old primary may go on living as a replica, and would keep the listener to itself.
          if (group.status().state === 'ready') this.#subscriber.follow(group.address);
          this.#onChange();
        });
        this.#layout = group;
        this.#changes = changesOf(group, plan, true);
        const sentinels = new Sentinels(sentinelPlan, () => undefined);
        this.#subscriber = new Subscriber({ ...plan, lane: 'subscriber', address: () => sentinels.primary() });
        break;
      }
      case 'cluster': {
        this.topology = 'cluster';
        const cluster = new Cluster({
          seeds: topology.nodes,
          connection: plan,
          pool,
          onChange: (moved) => this.#onChange(moved),
          onRedirection: () => this.#changes.follow(),
          native: () => this.#nativeCluster(topology.nodes, plan),
        });
        this.#layout = cluster;
        this.#changes = new ChangeFeed({
          connection: plan,
          primaries: () => cluster.primaryAddresses,
          primaryOnly: true,
          onUnreachable: () => cluster.doubt(),
        });
        this.#subscriber = new Subscriber({ ...plan, lane: 'subscriber', address: () => cluster.anyAddress() });
        break;
      }
      case 'embedded':
        throw new ConfigurationError(
          "The driver 'valkey' speaks to servers; for mode 'embedded' take the driver 'embedded'.",
          { subject: 'driver' },
        );
    }
  }

  connect(): Promise<void> {
    return this.#layout.open();
  }

  close(): Promise<void> {
    this.#credentials.close();
    this.#subscriber.close();
    this.#changes.close();
    this.#layout.close();
    this.#native?.disconnect();
    this.#onChange();
    this.#listeners.clear();
    this.#readyListeners.clear();
    return Promise.resolve();
  }

  execute(batch: readonly Operation[]): void {
    this.#layout.execute(batch);
  }

  suspect(operation: Operation): void {
    this.#layout.suspect(operation);
  }

  route(operation: Operation): Route {
    return this.#layout.route(operation);
  }

  primaries(fresh = false): Promise<readonly Route[]> {
    return this.#layout.primaries(fresh);
  }

  session(operation: Operation): Promise<Session> {
    return this.#layout.session(operation);
  }

  subscribe(request: SubscriptionRequest): Promise<() => Promise<void>> {
    return this.#subscriber.subscribe(request);
  }

  track(request: TrackingRequest): () => void {
    return this.#changes.track(request);
  }

  nodes(): readonly NodeInfo[] {
    return this.#layout.nodes();
  }

  status(): DriverStatus {
    return this.#layout.status();
  }

  onStatus(listener: (status: DriverStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onReady(listener: (route: Route) => void): () => void {
    this.#readyListeners.add(listener);
    return () => this.#readyListeners.delete(listener);
  }

  /**
   * iovalkey's client. On a single server and behind sentinels it is the connection this driver uses itself; on a
   * cluster it is a client of its own, opened at the first call, with the same addresses, credentials and TLS.
   */
  native(): ValkeyNative {
    return this.#layout.native() as ValkeyNative;
  }

  #nativeCluster(nodes: readonly Address[], plan: SharedPlan): NativeCluster {
    this.#native ??= this.#openNativeCluster(nodes, plan);
    return this.#native;
  }

  #openNativeCluster(nodes: readonly Address[], plan: SharedPlan): NativeCluster {
    const credentials = this.#credentials.latest;
    const client = new NativeCluster([...nodes], {
      lazyConnect: true,
      dnsLookup: (address, done) => done(null, address),
      redisOptions: {
        ...(credentials?.username === undefined ? {} : { username: credentials.username }),
        ...(credentials === undefined ? {} : { password: credentials.password }),
        ...(plan.tls ? { tls: plan.tls } : {}),
      },
    });
    // Without a listener iovalkey prints errors to the console.
    client.on('error', () => undefined);
    return client;
  }

  /** Tells the listeners when the state is another one, or when slots have moved to other nodes. */
  #onChange(moved = false): void {
    this.#changes.follow();
    const status = this.status();
    if (status.state === this.#told && !moved) return;
    this.#told = status.state;
    for (const listener of this.#listeners) listener(status);
  }
}

/**
 * Changes as one server tells them. While the connection for commands is away they do not count: it may reopen at another
 * server, by the sentinels' word or because the name leads elsewhere.
 */
function changesOf(server: OneServer, plan: SharedPlan, primaryOnly: boolean): ChangeFeed {
  return new ChangeFeed({
    connection: plan,
    primaries: () => (server.status().state === 'ready' ? [server.address] : []),
    primaryOnly,
    onUnreachable: () => undefined,
  });
}
