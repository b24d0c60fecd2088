import type { CacheClient, CommandInterceptor, LockOptions } from '../../../../lib/index.js';
import { createClient, LockService, resolveSettings } from '../../../../lib/index.js';
import { FakeClock, TestStore } from '../../../../lib/testing/index.js';

const CLIENTS = new Set<CacheClient>();
const SERVICES = new Set<LockService>();

/** A store in this process whose time passes by itself. */
export function liveStore(): TestStore {
  return new TestStore({ clock: Object.assign(new FakeClock(), { now: () => Date.now() }) });
}

/** A client on a store; `around` stands around each of its commands. */
export async function clientOn(store: TestStore, around?: CommandInterceptor): Promise<CacheClient> {
  const { settings } = resolveSettings({ mode: 'embedded' }, {});
  const client = createClient(settings, { driver: store.driver(), ...(around ? { interceptors: [around] } : {}) });
  CLIENTS.add(client);
  await client.connect();
  return client;
}

/** Locks of one application on a store, or on several. */
export async function locksOn(
  stores: TestStore | readonly TestStore[],
  options: LockOptions = {},
  around?: CommandInterceptor,
): Promise<LockService> {
  const made = Array.isArray(stores)
    ? await Promise.all((stores as readonly TestStore[]).map((store) => clientOn(store, around)))
    : await clientOn(stores as TestStore, around);
  const locks = new LockService(made, options);
  SERVICES.add(locks);
  return locks;
}

/** Ends what was made here. */
export async function closeLocks(): Promise<void> {
  await Promise.all(Array.from(SERVICES, (locks) => locks.close()));
  await Promise.all(Array.from(CLIENTS, (client) => client.close()));
  SERVICES.clear();
  CLIENTS.clear();
}
