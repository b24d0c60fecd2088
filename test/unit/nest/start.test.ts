import { ValkeyModule } from 'nestjs-valkey';

import { closeApplications, moduleLog, start, startFailure } from './application.js';

afterEach(closeApplications);

/** An address where nobody listens, refused at once. */
const AWAY = { host: '127.0.0.1', port: 1 } as const;

describe('a start with wrong options', () => {
  it('[CFG-1] fails and names the option, the value and the cure', async () => {
    const error = await startFailure({
      imports: [ValkeyModule.forRoot({ host: 'cache.internal', resilience: { retry: { attempts: -1 } } })],
    });

    expect(error).toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID', subject: 'resilience.retry.attempts' });
    expect(error.message).toContain('resilience.retry.attempts is -1: it must be a whole number from 0 to 1000');
  });

  it('[CFG-1] never shows a password', async () => {
    const error = await startFailure({
      imports: [ValkeyModule.forRoot({ host: 'valkey://:hunter2@cache.internal' })],
    });

    expect(error.message).toContain('host is');
    expect(error.message).not.toContain('hunter2');
  });
});

describe('forRoot() without options', () => {
  it('[CFG-2] reads the environment', async () => {
    await start({
      imports: [ValkeyModule.forRoot()],
      environment: { VALKEY_HOST: AWAY.host, VALKEY_PORT: '1', VALKEY_MAX_RETRIES: '0' },
    });

    expect(moduleLog().map(({ text }) => text)).toEqual([expect.stringContaining('127.0.0.1:1')]);
  });

  it('[CFG-2] yields to options', async () => {
    await start({
      imports: [ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'debug' })],
      environment: { VALKEY_HOST: AWAY.host, VALKEY_PORT: '1' },
    });

    expect(moduleLog()[0]?.text).toBe('The client is set up for the driver "embedded" in this process.');
  });

  it('[CFG-3] names the variable that is wrong', async () => {
    const error = await startFailure({ imports: [ValkeyModule.forRoot()], environment: { VALKEY_PORT: 'abc' } });

    expect(error).toMatchObject({ subject: 'VALKEY_PORT' });
    expect(error.message).toContain('VALKEY_PORT is "abc"');
  });
});

describe('with nothing configured', () => {
  it('says in exactly one line that the data stays in the process', async () => {
    await start({ imports: [ValkeyModule.forRoot()] });

    expect(moduleLog()).toEqual([
      { level: 'log', context: 'ValkeyModule', text: expect.stringContaining('keeps its data in this process') },
    ]);
  });

  it('is silent when that was asked for', async () => {
    await start({ imports: [ValkeyModule.forRoot({ mode: 'embedded' })] });

    expect(moduleLog()).toEqual([]);
  });

  it('does not start in production', async () => {
    const error = await startFailure({
      imports: [ValkeyModule.forRoot()],
      environment: { NODE_ENV: 'production' },
    });

    expect(error).toMatchObject({ code: 'VALKEY_CONFIGURATION_INVALID', subject: 'mode' });
    expect(error.message).toContain('VALKEY_MODE=embedded');
  });

  it.each([
    ['the option', { mode: 'embedded' } as const, {}],
    ['the variable', {}, { VALKEY_MODE: 'embedded' }],
  ])('starts in production when %s says so', async (_by, options, variables) => {
    await start({
      imports: [ValkeyModule.forRoot(options)],
      environment: { NODE_ENV: 'production', ...variables },
    });

    expect(moduleLog()).toEqual([]);
  });
});

describe('the log of a start', () => {
  const INSECURE = { ...AWAY, tls: { insecureSkipVerify: true } } as const;

  it('[CFG-7] warns of verification that is switched off', async () => {
    await start({ imports: [ValkeyModule.forRoot(INSECURE)] });

    expect(moduleLog().filter(({ text }) => text.includes('TLS verification is off'))).toEqual([
      { level: 'warn', context: 'ValkeyModule', text: expect.stringContaining('tls.insecureSkipVerify') },
    ]);
  });

  it.each([
    ['debug', ['debug', 'log']],
    ['info', ['log']],
    ['warn', []],
    ['error', []],
    ['silent', []],
  ] as const)('with the level %s of a client without a server holds %j', async (level, expected) => {
    await start({ imports: [ValkeyModule.forRoot()], environment: { VALKEY_LOG_LEVEL: level } });

    expect([...new Set(moduleLog().map((line) => line.level))]).toEqual(expected);
  });

  it.each([
    ['warn', ['warn', 'warn']],
    ['error', []],
  ] as const)('with the level %s of an unverified client whose server is away holds %j', async (level, expected) => {
    await start({ imports: [ValkeyModule.forRoot({ ...INSECURE, logLevel: level })] });

    expect(moduleLog().map((line) => line.level)).toEqual(expected);
  });

  it('calls a named client by its name', async () => {
    await start({ imports: [ValkeyModule.forRoot({ name: 'sessions', ...AWAY })] });

    expect(moduleLog()[0]?.text).toContain('The client "sessions" starts without its server');
  });

  it('never shows a password', async () => {
    await start({
      imports: [ValkeyModule.forRoot({ ...AWAY, credentials: { password: 'hunter2' }, logLevel: 'debug' })],
    });

    expect(moduleLog().length).toBeGreaterThan(1);
    expect(JSON.stringify(moduleLog())).not.toContain('hunter2');
  });
});
