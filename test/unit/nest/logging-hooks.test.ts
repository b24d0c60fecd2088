import { Logger } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { LoggingHooks } from '../../../lib/index.js';
import type { LoggingOptions } from '../../../lib/index.js';
import { FakeClock, RecordingDriver, TestStore } from '../../../lib/testing/index.js';
import {
  type FaultProxy,
  type Server,
  describeWithServers,
  startFaultProxy,
  startServer,
} from '../../support/index.js';
import { endObservation, observedClient } from '../observability/observed-client.js';

let lines: string[];

beforeEach(() => {
  lines = [];
  const write =
    (level: string) =>
    (text: unknown, context: unknown): void =>
      void lines.push(`${level} [${String(context)}] ${String(text)}`);
  const logger: LoggerService = {
    log: write('log'),
    warn: write('warn'),
    error: write('error'),
    debug: write('debug'),
  };
  Logger.overrideLogger(logger);
});

afterEach(async () => {
  await endObservation();
  Logger.overrideLogger(['log', 'warn', 'error']);
});

/** Takes the milliseconds out: they differ each time. */
function timeless(): string[] {
  return lines.map((line) => line.replace(/\d+(\.\d+)? ms/g, '… ms'));
}

describe('[HOK-4] LoggingHooks', () => {
  it('name the command and count its arguments, by level for failed and others', async () => {
    const client = await observedClient({ mode: 'embedded', name: 'shop' }, { interceptors: [new LoggingHooks()] });

    await client.set('key', 'value', { ttl: '1m' });
    await client.get('key');
    await client.lpush('key', 'x').catch(() => undefined);
    await client.pipeline((p) => [p.get('key'), p.lpush('key', 'x')], { settled: true });

    expect(timeless().filter((line) => !line.includes('connection'))).toEqual([
      'debug [Valkey(shop)] SET with 4 arguments took … ms',
      'debug [Valkey(shop)] GET with 1 argument took … ms',
      'warn [Valkey(shop)] LPUSH with 2 arguments failed with VALKEY_REPLY after … ms',
      'debug [Valkey(shop)] GET with 1 argument took … ms',
      'warn [Valkey(shop)] LPUSH with 2 arguments failed with VALKEY_REPLY after … ms',
      'warn [Valkey(shop)] A pipeline of 2 failed in 1 after … ms',
    ]);
  });

  it('warn of what takes as long as slowerThan', async () => {
    const clock = new FakeClock();
    const driver = new RecordingDriver(new TestStore({ clock }).driver(), clock).delay('GET', '1s');
    const hooks = new LoggingHooks({ slowerThan: '20ms', connections: false });
    const client = await observedClient(undefined, { driver, interceptors: [hooks] });

    await client.set('key', 'value');
    const answer = client.get('key');
    const startedAt = performance.now();
    while (performance.now() - startedAt < 25) await new Promise(setImmediate);
    clock.advance('1s');
    await answer;

    expect(timeless()).toEqual([
      'debug [Valkey] SET with 2 arguments took … ms',
      'warn [Valkey] GET with 1 argument was slow after … ms',
    ]);
  });

  it.each<[keyof LoggingOptions, RegExp]>([
    ['commands', /argument/],
    ['pipelines', /pipeline of/],
  ])('leave out %s when told to, and nothing else', async (kind, of) => {
    const speak = async (options: LoggingOptions): Promise<string[]> => {
      lines = [];
      const client = await observedClient(undefined, { interceptors: [new LoggingHooks(options)] });
      await client.pipeline((p) => [p.get('key')]);
      return timeless();
    };
    const all = await speak({});
    const less = await speak({ [kind]: false });

    expect(less).toEqual(all.filter((line) => !of.test(line)));
    expect(less.length).toBeLessThan(all.length);
  });

  it('may leave out everything', async () => {
    const none = { commands: false, pipelines: false, connections: false, retries: false };
    const client = await observedClient(undefined, { interceptors: [new LoggingHooks(none)] });

    await client.pipeline((p) => [p.get('key')]);

    expect(lines).toEqual([]);
  });
});

describeWithServers('[HOK-4] LoggingHooks with a server', () => {
  let server: Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    server = await startServer({ requirepass: 'canary-password' });
    proxy = await startFaultProxy(server);
  });

  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  const work = async (options: LoggingOptions): Promise<string[]> => {
    lines = [];
    const client = await observedClient(
      { host: proxy.host, port: proxy.port, credentials: { password: 'canary-password' } },
      { interceptors: [new LoggingHooks(options)] },
    );
    proxy.dropReply('GET');
    await client.set('canary-key', 'canary-value');
    await client.get('canary-key');
    await client.call('EVAL', "return redis.error_reply('canary-value')", '0').catch(() => undefined);
    await client.close();
    return timeless();
  };

  it('speak of connections and repetitions, and never of a key, a value or a password', async () => {
    const said = await work({});

    expect(said).toContain(`log [Valkey] The shared connection to ${proxy.addr} is open`);
    expect(said).toContain(`log [Valkey] The shared connection to ${proxy.addr} is closed`);
    expect(said.some((line) => /Repetition 1 to .* in … ms, after VALKEY_OUTCOME_UNKNOWN/.test(line))).toBe(true);
    expect(said.some((line) => /It worked on .* after/.test(line))).toBe(true);
    expect(said.join('\n')).not.toContain('canary');
  });

  it.each<[keyof LoggingOptions, RegExp]>([
    ['connections', /connection/],
    ['retries', /[Rr]epetition/],
  ])('leave out %s when told to', async (kind, of) => {
    expect((await work({})).some((line) => of.test(line))).toBe(true);
    expect((await work({ [kind]: false })).some((line) => of.test(line))).toBe(false);
  });
});
