import { Logger, type LoggerService } from '@nestjs/common';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type CacheClient, type EventChannel, events, LoggingHooks } from 'nestjs-valkey';
import { Telemetry } from 'nestjs-valkey/opentelemetry';
import { PrometheusMetrics } from 'nestjs-valkey/prometheus';
import { types } from 'node:util';
import { Registry } from 'prom-client';

import { ClientLog } from '../../../lib/nest/client-log.js';
import type { ClientParts, CommandHooks, Settings } from '../../../lib/index.js';
import { hostProcess } from '../../support/host-process.js';
import { fullText } from './full-text.js';

type Stream = 'stdout' | 'stderr';

/** Everything a process with this library in it says to anybody, collected to be searched. */
export class Emissions {
  readonly #texts = new Map<string, Set<string>>();
  readonly #stops: (() => void)[] = [];
  /** Names of the commands that had a text in their arguments, by text. */
  readonly #carriers = new Map<string, Set<string>>();
  readonly #registry = new Registry();
  readonly #metrics = new PrometheusMetrics({ register: this.#registry });
  readonly #spans = new InMemorySpanExporter();
  readonly #tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#spans)] });
  readonly #figures = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: this.#figures, exportIntervalMillis: 2 ** 30 })],
  });
  readonly #telemetry = new Telemetry({ tracer: this.#tracers.getTracer('t'), meter: this.#meters.getMeter('t') });
  readonly #watched: readonly string[];

  /** @param watched - texts whose way to the server is noted, for {@link Emissions.carriersOf} */
  constructor(watched: readonly string[]) {
    this.#watched = watched;
  }

  /** How many different things were said through each outlet. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#texts].map(([outlet, texts]) => [outlet, texts.size]));
  }

  begin(): void {
    for (const [name, channel] of Object.entries(events)) {
      this.#stops.push((channel as EventChannel<never>).subscribe((event) => this.#say(`event ${name}`, event)));
    }
    this.#tap('stdout');
    this.#tap('stderr');
    this.#tapConsole();
    const onWarning = (warning: Error): void => this.#say('warning', warning);
    hostProcess.on('warning', onWarning);
    this.#stops.push(() => hostProcess.off('warning', onWarning));
    const write = (...words: unknown[]): void => this.#say('log', words);
    const logger: LoggerService = { log: write, warn: write, error: write, debug: write, verbose: write, fatal: write };
    Logger.overrideLogger(logger);
    this.#stops.push(() => Logger.overrideLogger(['log', 'warn', 'error']));
  }

  /** What a client needs so that all it can say is heard. */
  get interceptors(): NonNullable<ClientParts['interceptors']> {
    return [new LoggingHooks({ slowerThan: 1 }), this.#metrics, this.#telemetry, this.#ears];
  }

  /** The client, connected or about to be, whose errors, state and log lines are heard as well. */
  async attend(client: CacheClient, settings: Settings): Promise<CacheClient> {
    const log = new ClientLog(settings);
    log.ready();
    client.onStatus((status) => {
      log.status(status);
      this.#say('status', status);
    });
    this.#say('client', client);
    await this.ask(client);
    return this.#overheard(client);
  }

  /** What a client can be asked for at any time. */
  async ask(client: CacheClient): Promise<void> {
    this.#look(client);
    this.#say('health', await client.health());
  }

  error(error: unknown): void {
    this.#say('error', error);
  }

  async end(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    this.#say('metrics', await this.#registry.metrics());
    this.#metrics.close();
    await this.#meters.forceFlush();
    for (const span of this.#spans.getFinishedSpans()) {
      const { name, attributes, events: marks, status } = span;
      this.#say('span', { name, attributes, marks, status });
    }
    for (const figures of this.#figures.getMetrics()) this.#say('figures', figures);
    await Promise.all([this.#meters.shutdown(), this.#tracers.shutdown()]);
  }

  /** What was said that contains the text, as text or as the bytes of a Buffer; the first few of each outlet. */
  containing(text: string): readonly string[] {
    return [...this.#texts].flatMap(([outlet, texts]) =>
      [...texts]
        .filter((said) => said.includes(text))
        .slice(0, 3)
        .map((said) => `${outlet}: ${said.slice(0, 1_000)}`),
    );
  }

  /** The commands that had the text somewhere in their arguments: what could have told it. */
  carriersOf(text: string): readonly string[] {
    return [...(this.#carriers.get(text) ?? [])].toSorted();
  }

  #look(client: CacheClient): void {
    this.#say('status', client.status());
    this.#say('circuits', client.circuits());
    // Of a route its id is public, what lies behind it not.
    this.#say(
      'nodes',
      client.nodes().map(({ route: { id }, role, connected }) => ({ id, role, connected })),
    );
  }

  #say(outlet: string, what: unknown): void {
    const texts = this.#texts.get(outlet) ?? new Set();
    this.#texts.set(outlet, texts);
    texts.add(fullText(what));
  }

  readonly #ears: CommandHooks = {
    afterCommand: ({ command, args }, { error }) => {
      if (error) this.#say('error', error);
      for (const text of this.#watched) {
        if (!args.some((arg) => arg.includes(text))) continue;
        const carriers = this.#carriers.get(text) ?? new Set();
        this.#carriers.set(text, carriers.add(command));
      }
    },
  };

  #tap(name: Stream): void {
    const stream = hostProcess[name];
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: never[]) => {
      this.#say(name, typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      return write(chunk, ...rest);
    };
    this.#stops.push(() => (stream.write = write));
  }

  #tapConsole(): void {
    const { console } = globalThis;
    for (const level of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
      const original = console[level];
      console[level] = (...words: unknown[]) => {
        this.#say('console', words);
        original.apply(console, words);
      };
      this.#stops.push(() => (console[level] = original));
    }
  }

  /** Hears what the client's methods throw or reject with. What `with()` gives is overheard too. */
  #overheard(client: CacheClient): CacheClient {
    return new Proxy(client, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (name === 'close') this.#look(target);
          let result: unknown;
          try {
            result = Reflect.apply(member, target, args);
          } catch (error) {
            this.error(error);
            throw error;
          }
          if (types.isPromise(result)) result.catch((error: unknown) => this.error(error));
          return result instanceof target.constructor ? this.#overheard(result as CacheClient) : result;
        };
      },
    });
  }
}
