import { jest } from '@jest/globals';
import { createClient, type Driver, resolveSettings } from '../../../lib/index.js';
import { EmbeddedDriver } from '../../../lib/driver/embedded/embedded-driver.js';
import { SharedDriver } from '../../../lib/testing/shared-driver.js';

const { settings } = resolveSettings({ mode: 'embedded', keyPrefix: 'app:' }, {});
const NOTHING = { changed: (): void => undefined, covered: (): void => undefined };

describe('track()', () => {
  let inner: EmbeddedDriver;

  beforeEach(() => {
    inner = new EmbeddedDriver({ maxEntries: 100, maxBytes: 100_000 });
  });

  afterEach(() => inner.close());

  it('is refused where the driver cannot tell changes', async () => {
    const blind = new Proxy<Driver>(new SharedDriver(inner), {
      get: (driver, name) => {
        if (name === 'track') return undefined;
        const member: unknown = Reflect.get(driver, name, driver);
        return typeof member === 'function' ? (member.bind(driver) as unknown) : member;
      },
    });
    const client = createClient(settings, { driver: blind });
    expect(() => client.track('a', NOTHING)).toThrow(expect.objectContaining({ code: 'VALKEY_UNSUPPORTED' }));
    await client.close();
  });

  it('refuses a prefix that is no text', async () => {
    const client = createClient(settings, { driver: new SharedDriver(inner) });
    expect(() => client.track(undefined as unknown as string, NOTHING)).toThrow(
      expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }),
    );
    await client.close();
  });

  it('turns what a listener throws into a warning, and tells the others', async () => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const client = createClient(settings, { driver: new SharedDriver(inner) });
    const told: string[] = [];
    const mistake = new Error('a mistake');
    client.track('', {
      changed: () => {
        throw mistake;
      },
      covered: () => undefined,
    });
    client.track('', { changed: (key) => told.push(key), covered: () => undefined });
    await client.set('a', '1');
    expect(told).toEqual(['a']);
    expect(warnings.mock.calls).toEqual([[mistake]]);
    await client.close();
    warnings.mockRestore();
  });

  it('ends with its client and leaves others of the same driver alone', async () => {
    const [one, other] = [0, 1].map(() => createClient(settings, { driver: new SharedDriver(inner) }));
    const news: [string, string | boolean][] = [];
    for (const [name, client] of Object.entries({ one, other })) {
      client?.track('', {
        changed: (key) => news.push([name, key]),
        covered: (covered) => news.push([name, covered]),
      });
    }
    await one?.close();
    await other?.set('a', '1');
    expect(news).toEqual([
      ['one', true],
      ['other', true],
      ['one', false],
      ['other', 'a'],
    ]);
    await other?.close();
  });
});
