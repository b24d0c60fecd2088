import { ConnectionError, PipelineError } from 'nestjs-valkey';
import { recordingClient, type RecordingClient, type RecordingClientOptions } from 'nestjs-valkey/testing';

describe('recordingClient', () => {
  const opened: RecordingClient[] = [];
  async function open(options?: RecordingClientOptions): Promise<RecordingClient> {
    const made = await recordingClient(options);
    opened.push(made);
    return made;
  }

  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ client }) => client.close()));
  });

  it('[TST-1] records what is sent, and lets it work', async () => {
    const { client, recording } = await open({ keyPrefix: 'p:' });
    await client.set('a', 1, { ttl: '1s' });
    await client.mget('a', 'b');
    await client.ping();

    expect(recording.operations).toEqual([
      { command: 'SET', args: ['p:a', '1', 'PX', '1000'], key: 'p:a', transaction: undefined },
      { command: 'MGET', args: ['p:a', 'p:b'], key: 'p:a', transaction: undefined },
      { command: 'PING', args: [], key: undefined, transaction: undefined },
    ]);
    expect(recording.of('mget')).toHaveLength(1);
    recording.forget();
    expect(recording.operations).toEqual([]);
  });

  it('[TST-1] records each of many reads of one tick', async () => {
    const { client, recording } = await open();
    await Promise.all(Array.from({ length: 40 }, (_, index) => client.get(String(index))));

    expect(recording.of('GET')).toHaveLength(40);
  });

  it('[TST-1] records what a transaction holds, watched or not', async () => {
    const { client, recording } = await open();
    await client.transaction({ watch: ['a'] }, (t) => [t.incr('a'), t.get('a')]);

    expect(recording.operations.map(({ command }) => command)).toEqual(['WATCH', 'EXEC']);
    expect(recording.of('EXEC')[0]?.transaction?.map(({ command }) => command)).toEqual(['INCR', 'GET']);
  });

  it('[TST-1] fails a command as often as it was told to', async () => {
    const { client, recording } = await open();
    recording.fail('get', 'VALKEY_CONNECTION_FAILED', { times: 2 });

    await expect(client.get('a')).rejects.toBeInstanceOf(ConnectionError);
    await expect(client.get('a')).rejects.toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    expect(await client.get('a')).toBeNull();
  });

  it('[TST-1] fails with the error it was given, for one key, for any command, until restored', async () => {
    const { client, recording } = await open();
    const reason = new ConnectionError('because');
    recording.fail('*', reason, { key: 'a' });

    await expect(client.get('a')).rejects.toBe(reason);
    await expect(client.incr('a')).rejects.toBe(reason);
    expect(await client.incr('b')).toBe(1);
    recording.restore();
    expect(await client.get('a')).toBeNull();
  });

  it('[TST-1] fails one command of a pipeline', async () => {
    const { client, recording } = await open();
    recording.fail('INCR', 'VALKEY_OUT_OF_MEMORY');
    const failing = client.pipeline((p) => [p.set('a', 1), p.incr('a'), p.get('a')]);

    await expect(failing).rejects.toBeInstanceOf(PipelineError);
    await expect(failing).rejects.toMatchObject({
      results: [
        { ok: true, value: 'OK' },
        { ok: false, error: { code: 'VALKEY_OUT_OF_MEMORY' } },
        { ok: true, value: '1' },
      ],
    });
  });

  it('[TST-1] answers what it was told to, in turn, then the last one for ever', async () => {
    const { client, recording } = await open();
    recording.reply('GET', 'always').reply('GET', 'first', { times: 1 });
    recording.reply('GET', ({ args }) => `second ${String(args[0])}`, { times: 1 });

    expect([await client.get('a'), await client.get('a'), await client.get('a')]).toEqual([
      'first',
      'second a',
      'always',
    ]);
    expect(await client.getBuffer('a')).toEqual(Buffer.from('always'));
    expect(await client.exists('a')).toBe(0);
  });

  it('[TST-1] holds a command back until the clock has moved on', async () => {
    const { client, clock, recording } = await open();
    recording.delay('SET', '1m', { times: 1 });
    const written = client.set('a', 1);

    clock.advance('59s');
    expect(await client.get('a')).toBeNull();
    clock.advance('1s');
    expect(await written).toBe('OK');
    expect(await client.get('a')).toBe('1');
  });

  it('[TST-1] a command held back ends by its deadline and is not executed afterwards', async () => {
    const { client, clock, recording } = await open();
    recording.delay('SET', '1m');

    await expect(client.with({ timeout: 5 }).set('a', 1)).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    clock.advance('1m');
    expect(await client.exists('a')).toBe(0);
  });

  it('[TST-1] leaves a command hanging until deadline, signal or close end it', async () => {
    const { client, recording } = await open();
    recording.hang('GET').hang('INCR');
    const stop = new AbortController();
    const aborted = client.with({ signal: stop.signal }).get('a');
    const closed = client.get('a');
    stop.abort('why');

    await expect(aborted).rejects.toBe('why');
    await expect(client.with({ timeout: 5 }).get('a')).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });
    await expect(client.with({ timeout: 5 }).incr('a')).rejects.toMatchObject({ code: 'VALKEY_OUTCOME_UNKNOWN' });
    const ended = expect(closed).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
    await client.close();
    await ended;
    expect(client.underWay).toBe(0);
  });

  it('[TST-1] loses the reply of a command that was applied, or was not', async () => {
    const { client, recording } = await open();
    recording.loseReply('INCR', { times: 1 }).loseReply('INCR', { times: 1, applied: false });

    await expect(client.incr('a')).rejects.toMatchObject({ code: 'VALKEY_OUTCOME_UNKNOWN', subject: 'INCR' });
    expect(await client.get('a')).toBe('1');
    await expect(client.incr('a')).rejects.toMatchObject({ code: 'VALKEY_OUTCOME_UNKNOWN' });
    expect(await client.incr('a')).toBe(2);
  });

  it('[TST-1] with policies, what is safe to repeat survives a lost reply, and what is not does not', async () => {
    const { client, recording } = await open({
      policies: true,
      resilience: { retry: { attempts: 2, min: 1, max: 1 } },
    });
    recording.loseReply('SET', { times: 1 }).loseReply('INCR', { times: 1 });

    expect(await client.set('a', 1)).toBe('OK');
    expect(recording.of('SET')).toHaveLength(2);
    await expect(client.incr('a')).rejects.toMatchObject({ code: 'VALKEY_OUTCOME_UNKNOWN' });
    expect(recording.of('INCR')).toHaveLength(1);
  });

  it('[TST-1] goes down and comes back, and says so', async () => {
    const { client, recording } = await open();
    const states: string[] = [];
    client.onStatus(({ state }) => states.push(state));

    recording.goDown();
    await expect(client.get('a')).rejects.toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    await expect(client.subscribe('news')).rejects.toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    expect(client.nodes()[0]?.connected).toBe(false);
    recording.comeBack();
    expect(await client.get('a')).toBeNull();
    expect(states).toEqual(['down', 'ready']);
  });

  it('[TST-1] refuses to do something less than once', async () => {
    const { recording } = await open();

    expect(() => recording.fail('GET', 'VALKEY_REPLY', { times: 0 })).toThrow(
      expect.objectContaining({ code: 'VALKEY_ARGUMENT_INVALID' }),
    );
  });
});
