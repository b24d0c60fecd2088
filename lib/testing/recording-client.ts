import { CacheClient } from '../client/cache-client.js';
import { createClient } from '../client/create-client.js';
import { typedJson } from '../core/codec/typed-json.js';
import { ResilientDriver } from '../resilience/resilient-driver.js';
import { RecordingDriver } from './recording-driver.js';
import { storeOf, testSettings, type TestClient, type TestClientOptions } from './test-client.js';

/** How a recording client is made. */
export interface RecordingClientOptions extends TestClientOptions {
  /**
   * Whether retries, breaker and merged reads stand between client and recorder, as they do in production: what fails
   * once may then succeed unnoticed, and many GETs of one tick are recorded as one MGET. Default false: the recorder
   * sees exactly what the client was asked, and the caller exactly what the recorder was told.
   */
  readonly policies?: boolean;
}

/** A client whose every operation is recorded and can be made to fail. */
export interface RecordingClient extends TestClient {
  readonly recording: RecordingDriver;
}

/**
 * A test client that records what it sends, and does to it what it is told.
 *
 * @example
 * ```ts
 * const { client, recording } = await recordingClient();
 * recording.fail('GET', 'VALKEY_CONNECTION_FAILED', { times: 1 });
 * await service.find('1'); // has to do without the cache
 * expect(recording.of('SET')).toHaveLength(0);
 * ```
 */
export async function recordingClient(options: RecordingClientOptions = {}): Promise<RecordingClient> {
  const { policies = false, ...rest } = options;
  const store = storeOf(rest);
  const settings = testSettings(rest);
  const driver = store.driver();
  const recording = new RecordingDriver(policies ? driver : new ResilientDriver(driver, settings), store.clock);
  const client = policies
    ? createClient(settings, { driver: recording })
    : new CacheClient(recording, settings, typedJson);
  await client.connect();
  return { client, recording, clock: store.clock, store };
}
