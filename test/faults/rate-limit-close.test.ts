import { compileLibrary } from '../integration/compiled-library.js';
import type { CompiledLibrary } from '../integration/compiled-library.js';
import { freePort } from '../support/index.js';

describe('a process with a limiter', () => {
  let library: CompiledLibrary;

  beforeAll(() => {
    library = compileLibrary();
  });
  afterAll(() => library.remove());

  const body = (port: number, rest: string): string => `
    const { RateLimiter } = await import(${JSON.stringify(`file://${library.folder}/index.js`)});
    const client = createClient(resolveSettings({ host: '127.0.0.1', port: ${port}, drain: 100 }, {}).settings);
    const limiter = new RateLimiter(client, { timeout: 100 });
    const limit = { limit: 2, window: '1h' };
    const seen = [];
    for (let turn = 0; turn < 3; turn += 1) seen.push(await limiter.consume('s', limit));
    console.log(seen.map(({ admitted, by }) => admitted + ' ' + by).join(', '));
    ${rest}`;

  it('[L6] that was closed ends by itself, also after it has decided in place of the store', async () => {
    const { code, stdout, stderr } = await library.run(
      body(await freePort(), 'await limiter.close(); await client.close(); await limiter.close();'),
    );
    expect({ code, stderr, stdout: stdout.trim() }).toEqual({
      code: 0,
      stderr: '',
      stdout: 'true local, true local, false local',
    });
  });

  it('[L6] ends by itself where the limiter was not closed, too', async () => {
    const { code, stderr } = await library.run(body(await freePort(), 'await client.close();'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
