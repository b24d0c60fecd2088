import { CacheService } from '../../../../lib/index.js';
import { recordingClient } from '../../../../lib/testing/index.js';
import type { RecordingClient } from '../../../../lib/testing/index.js';

const opened: RecordingClient[] = [];

/** A cache that can be lost: `store.recording.goDown()`. */
export async function openStore(): Promise<RecordingClient & { readonly caching: CacheService }> {
  const store = await recordingClient();
  opened.push(store);
  return { ...store, caching: new CacheService(store.client, { near: false }) };
}

/** Another process with the same data. */
export async function openBeside(store: RecordingClient): Promise<CacheService> {
  const beside = await recordingClient({ store: store.store });
  opened.push(beside);
  return new CacheService(beside.client, { near: false });
}

/** Everything that reached the store, as text. */
export function sent({ recording }: RecordingClient): string {
  return JSON.stringify(recording.operations.map(({ command, args }) => [command, ...args.map(String)]));
}

export async function closeStores(): Promise<void> {
  await Promise.all(opened.splice(0).map(({ client }) => client.close()));
}
