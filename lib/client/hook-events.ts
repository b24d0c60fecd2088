import { events } from '../core/events.js';
import type { ClientIdentity, ConnectionEvent } from '../core/events.js';
import type { HookSet } from './interceptors.js';

/** Lets the hooks about connections and repetitions hear the events of their client; the function it gives ends that. */
export function followEvents(hooks: HookSet, { clientId }: ClientIdentity): () => void {
  const stops: (() => void)[] = [];
  if (hooks.has('beforeConnect', 'afterConnect', 'beforeDisconnect', 'afterDisconnect')) {
    stops.push(
      events.connection.subscribe((event) => {
        if (event.clientId === clientId) tellConnection(hooks, event);
      }),
    );
  }
  if (hooks.has('beforeRetry')) {
    stops.push(
      events.retry.subscribe((event) => {
        if (event.clientId === clientId) hooks.call('beforeRetry', event);
      }),
    );
  }
  if (hooks.has('afterRetry')) {
    stops.push(
      events.retryEnd.subscribe((event) => {
        if (event.clientId === clientId) hooks.call('afterRetry', event);
      }),
    );
  }
  return () => {
    for (const stop of stops) stop();
  };
}

function tellConnection(hooks: HookSet, { address, lane, state, code }: ConnectionEvent): void {
  const info = { address, lane };
  switch (state) {
    case 'connecting':
      hooks.call('beforeConnect', info);
      return;
    case 'ready':
    case 'failed':
      hooks.call('afterConnect', info, { code });
      return;
    case 'closed':
      hooks.call('beforeDisconnect', info);
      hooks.call('afterDisconnect', info);
      return;
    case 'lost':
      hooks.call('afterDisconnect', info);
  }
}
