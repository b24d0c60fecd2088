import { CacheService, runAsTenant, TenantSettings } from '../../../../lib/index.js';
import type { TenantSettingsOptions } from '../../../../lib/index.js';
import { recordingClient } from '../../../../lib/testing/index.js';
import type { RecordingClient } from '../../../../lib/testing/index.js';
import { failure } from '../../options/failure.js';

interface Settings {
  readonly currency: string;
}

let store: RecordingClient;
let caching: CacheService;
let asked: string[];
let currencies: Map<string, string>;
let settings: TenantSettings<Settings>;

async function load(tenant: string): Promise<Settings | undefined> {
  asked.push(tenant);
  const currency = currencies.get(tenant);
  return currency === undefined ? undefined : { currency };
}

beforeEach(async () => {
  store = await recordingClient();
  caching = new CacheService(store.client, { near: false });
  settings = new TenantSettings(caching.cache('tenant-settings'), { load });
  asked = [];
  currencies = new Map([
    ['acme', 'EUR'],
    ['globex', 'USD'],
  ]);
});
afterEach(() => store.client.close());

describe('[TEN-1] settings of tenants', () => {
  it('are loaded once for each tenant, and kept for a day', async () => {
    const ask = async (): Promise<unknown> => {
      const found = [await settings.get('acme'), await settings.get('globex')];
      await caching.idle();
      return found;
    };
    expect(await ask()).toEqual([{ currency: 'EUR' }, { currency: 'USD' }]);
    store.clock.advance('23h');
    await ask();
    expect(asked).toEqual(['acme', 'globex']);
    store.clock.advance('61m');
    await ask();
    expect(asked).toEqual(['acme', 'globex', 'acme', 'globex']);
  });

  it('are those of the current tenant', async () => {
    expect(await runAsTenant('globex', () => settings.current())).toEqual({ currency: 'USD' });
    await expect(settings.current()).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
  });

  it('of an unknown tenant are asked for again after a minute', async () => {
    expect(await settings.get('initech')).toBeUndefined();
    await caching.idle();
    store.clock.advance('59s');
    await settings.get('initech');
    expect(asked).toEqual(['initech']);
    store.clock.advance('2s');
    await settings.get('initech');
    expect(asked).toEqual(['initech', 'initech']);
  });

  it('are loaded anew once they were evicted, those of one tenant or of all', async () => {
    const ask = async (): Promise<unknown> => {
      const found = [await settings.get('acme'), await settings.get('globex')];
      await caching.idle();
      return found;
    };
    await ask();
    currencies = new Map([['acme', 'CHF']]);
    await settings.evict('acme');
    expect(await ask()).toEqual([{ currency: 'CHF' }, { currency: 'USD' }]);
    await settings.clear();
    expect(await ask()).toEqual([{ currency: 'CHF' }, undefined]);
  });

  it('come from the source when the store is away, once for each tenant at a time', async () => {
    store.recording.goDown();
    const found = await Promise.all(Array.from({ length: 20 }, () => settings.get('acme')));
    expect(found).toEqual(found.map(() => ({ currency: 'EUR' })));
    expect(asked).toEqual(['acme']);
    await expect(settings.evict('acme')).rejects.toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
  });

  it('are of tenants only', async () => {
    const invalid = { code: 'VALKEY_ARGUMENT_INVALID', subject: 'tenant' };
    await expect(settings.get('a:b')).rejects.toMatchObject(invalid);
    await expect(settings.evict('acme', '')).rejects.toMatchObject(invalid);
    expect(asked).toEqual([]);
  });

  it('say what is wrong with their options', () => {
    const options = { ttl: -1, lod: load } as unknown as TenantSettingsOptions<Settings>;
    const message = failure(() => new TenantSettings(caching.cache(), options));
    expect(message).toContain('load is missing');
    expect(message).toContain('ttl is -1');
    expect(message).toContain("Did you mean 'load'?");
  });
});
