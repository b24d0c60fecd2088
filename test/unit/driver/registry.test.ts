import { createClient, makeDriver, registerDriver, resolveSettings } from '../../../lib/index.js';

const { settings } = resolveSettings({ mode: 'embedded' }, {});

describe('the registry of drivers', () => {
  it('[DRV-1] makes the drivers it knows by name', () => {
    expect(makeDriver(settings).name).toBe('embedded');
    expect(makeDriver(resolveSettings({ host: 'nowhere.invalid' }, {}).settings).name).toBe('valkey');
  });

  it('[DRV-1] names the known ones when it is asked for another', () => {
    expect(() => makeDriver({ ...settings, driver: 'valky' })).toThrow(
      expect.objectContaining({
        code: 'VALKEY_UNKNOWN_DRIVER',
        message: expect.stringMatching(/"valky".*valkey, embedded/) as string,
      }),
    );
  });

  it('[DRV-1] lets a third party register one, under a name that is free', async () => {
    registerDriver('of-the-house', () => makeDriver(settings));
    const own = resolveSettings({ driver: 'of-the-house', host: 'nowhere.invalid' }, {}).settings;
    const client = createClient(own);
    await client.connect();
    await client.set('greeting', 'hello');
    expect(await client.get('greeting')).toBe('hello');
    await client.close();

    const refused = expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }) as Error;
    expect(() => registerDriver('of-the-house', () => makeDriver(settings))).toThrow(refused);
    expect(() => registerDriver(' ', () => makeDriver(settings))).toThrow(refused);
  });
});
