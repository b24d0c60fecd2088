import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, ContextManager } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { HistogramMetricData } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Telemetry } from '../../../lib/opentelemetry/index.js';
import { type Server, describeWithServers, startServer } from '../../support/index.js';
import { endObservation, observedClient } from './observed-client.js';

/** What an application registers: which span the code at hand works in. */
class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => run.apply(self, args));
  }

  bind<T>(_context: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

const ROOT = context.active();
let spans: InMemorySpanExporter;
let figures: InMemoryMetricExporter;
let reader: PeriodicExportingMetricReader;
let tracers: BasicTracerProvider;
let meters: MeterProvider;
let telemetry: Telemetry;

beforeAll(() => void context.setGlobalContextManager(new AsyncContexts()));
afterAll(() => context.disable());

beforeEach(() => {
  spans = new InMemorySpanExporter();
  tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  figures = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  reader = new PeriodicExportingMetricReader({ exporter: figures, exportIntervalMillis: 3_600_000 });
  meters = new MeterProvider({ readers: [reader] });
  telemetry = new Telemetry({ tracer: tracers.getTracer('test'), meter: meters.getMeter('test') });
});

afterEach(async () => {
  await endObservation();
  await Promise.all([tracers.shutdown(), meters.shutdown()]);
});

function finished(name: string): ReadableSpan {
  const found = spans.getFinishedSpans().filter((span) => span.name === name);
  expect(found).toHaveLength(1);
  return found[0] as ReadableSpan;
}

async function durations(): Promise<HistogramMetricData> {
  await reader.forceFlush();
  const [metric] = figures.getMetrics().at(-1)?.scopeMetrics[0]?.metrics ?? [];
  expect(metric?.descriptor).toMatchObject({ name: 'db.client.operation.duration', unit: 's' });
  return metric as HistogramMetricData;
}

describe('[OBS-3] Telemetry', () => {
  it('makes spans that are children of the span the caller works in', async () => {
    const client = await observedClient(undefined, { interceptors: [telemetry] });
    const parent = tracers.getTracer('test').startSpan('GET /products');

    await context.with(trace.setSpan(context.active(), parent), async () => {
      await client.set('key', 'value');
      await client.get('key');
    });
    parent.end();
    await client.incr('count');

    const { spanId, traceId } = parent.spanContext();
    for (const name of ['SET', 'GET']) {
      expect(finished(name).parentSpanContext?.spanId).toBe(spanId);
      expect(finished(name).spanContext().traceId).toBe(traceId);
    }
    expect(finished('INCR').parentSpanContext).toBeUndefined();
  });

  it('keeps the parent behind an interceptor that waits', async () => {
    const client = await observedClient(undefined, {
      interceptors: [
        {
          intercept: async (call, next) => {
            await new Promise(setImmediate);
            return next(call);
          },
        },
        telemetry,
      ],
    });
    const parent = tracers.getTracer('test').startSpan('parent');

    await context.with(trace.setSpan(context.active(), parent), () => client.get('key'));

    expect(finished('GET').parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
  });

  it('names system and operation by the conventions, and nothing of the arguments', async () => {
    const client = await observedClient({ mode: 'embedded', name: 'shop' }, { interceptors: [telemetry] });

    await client.set('canary-key', 'canary-value');

    const span = finished('SET');
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).toEqual({
      'db.system.name': 'valkey',
      'db.operation.name': 'SET',
      'valkey.client.name': 'shop',
    });
  });

  it("says what went wrong, by code and by the server's own word, without its text", async () => {
    const client = await observedClient(undefined, { interceptors: [telemetry] });
    await client.set('key', 'value');

    await client.lpush('key', 'more').catch(() => undefined);
    await client.close();
    await client.get('key').catch(() => undefined);

    expect(finished('LPUSH').attributes).toMatchObject({
      'error.type': 'VALKEY_REPLY',
      'db.response.status_code': 'WRONGTYPE',
    });
    expect(finished('LPUSH').status).toEqual({ code: SpanStatusCode.ERROR, message: 'VALKEY_REPLY' });
    expect(finished('GET').attributes).toMatchObject({ 'error.type': 'VALKEY_CLIENT_CLOSED' });
    expect(finished('GET').attributes).not.toHaveProperty('db.response.status_code');
  });

  it('makes a span for a pipeline and a transaction, with their size', async () => {
    const client = await observedClient(undefined, { interceptors: [telemetry] });

    await client.pipeline((p) => [p.set('key', 'value'), p.lpush('key', 'x')], { settled: true });
    await client.transaction((t) => [t.set('key', 'value')]);

    expect(finished('PIPELINE').attributes).toMatchObject({
      'db.operation.name': 'PIPELINE',
      'db.operation.batch.size': 2,
      'error.type': 'VALKEY_PIPELINE_FAILED',
    });
    expect(finished('PIPELINE').status.code).toBe(SpanStatusCode.ERROR);
    expect(finished('MULTI').attributes).not.toHaveProperty('db.operation.batch.size');
    expect(finished('MULTI').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('records durations in seconds, apart for each operation and error', async () => {
    const client = await observedClient({ mode: 'embedded', name: 'shop' }, { interceptors: [telemetry] });

    await client.set('key', 'value');
    await client.get('key');
    await client.get('key');
    await client.lpush('key', 'more').catch(() => undefined);

    const { dataPoints } = await durations();
    const common = { 'db.system.name': 'valkey', 'valkey.client.name': 'shop' };
    expect(dataPoints.map(({ attributes, value }) => [attributes, value.count])).toEqual([
      [{ ...common, 'db.operation.name': 'SET' }, 1],
      [{ ...common, 'db.operation.name': 'GET' }, 2],
      [
        {
          ...common,
          'db.operation.name': 'LPUSH',
          'error.type': 'VALKEY_REPLY',
          'db.response.status_code': 'WRONGTYPE',
        },
        1,
      ],
    ]);
    expect(dataPoints[0]?.value.buckets.boundaries).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]);
    for (const { value } of dataPoints) {
      expect(value.sum).toBeGreaterThan(0);
      expect(value.sum).toBeLessThan(1);
    }
  });

  it('makes no spans with spans: false, and records durations all the same', async () => {
    const meter = meters.getMeter('test');
    const quiet = new Telemetry({ tracer: tracers.getTracer('test'), meter, spans: false });
    const client = await observedClient(undefined, { interceptors: [quiet] });

    await client.get('key');

    expect(spans.getFinishedSpans()).toEqual([]);
    expect((await durations()).dataPoints).toHaveLength(1);
  });

  it('works with the global providers when none are registered', async () => {
    const client = await observedClient(undefined, { interceptors: [new Telemetry()] });

    expect(await client.set('key', 'value')).toBe('OK');
  });
});

describeWithServers('[OBS-3] Telemetry with a server', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.stop());

  it('says which server it was', async () => {
    const client = await observedClient({ host: server.host, port: server.port }, { interceptors: [telemetry] });

    await client.get('key');

    expect(finished('GET').attributes).toMatchObject({ 'server.address': server.host, 'server.port': server.port });
    expect((await durations()).dataPoints[0]?.attributes).toMatchObject({ 'server.port': server.port });
  });
});
