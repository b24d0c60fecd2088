import {
  type CacheClient,
  type ClientParts,
  type EventChannel,
  createClient,
  events,
  resolveSettings,
} from '../../../lib/index.js';

/** One event with the name of its channel in `events`. */
export interface Seen {
  readonly channel: keyof typeof events;
  readonly event: Readonly<Record<string, unknown>>;
}

const clients = new Set<CacheClient>();
const stops: (() => void)[] = [];

/** A connected client; {@link endObservation} closes it. The environment is left out. */
export async function observedClient(
  options: Record<string, unknown> = { mode: 'embedded' },
  parts: ClientParts = {},
): Promise<CacheClient> {
  const client = createClient(resolveSettings({ drain: 100, ...options }, {}).settings, parts);
  clients.add(client);
  await client.connect();
  return client;
}

/** Collects what happens on these channels from now on; without any, on all. */
export function watch(...names: readonly (keyof typeof events)[]): Seen[] {
  const seen: Seen[] = [];
  const wanted = names.length === 0 ? (Object.keys(events) as (keyof typeof events)[]) : names;
  for (const channel of wanted) {
    const source = events[channel] as EventChannel<never>;
    stops.push(source.subscribe((event) => void seen.push({ channel, event })));
  }
  return seen;
}

/** The events of one channel. */
export function of(seen: readonly Seen[], channel: keyof typeof events): Seen['event'][] {
  return seen.filter((each) => each.channel === channel).map(({ event }) => event);
}

/** For afterEach. */
export async function endObservation(): Promise<void> {
  for (const stop of stops.splice(0)) stop();
  const open = [...clients];
  clients.clear();
  await Promise.all(open.map((client) => client.close()));
}
