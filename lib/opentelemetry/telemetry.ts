import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Histogram, Meter, Span, Tracer } from '@opentelemetry/api';
import type {
  CommandCall,
  CommandHooks,
  CommandResult,
  InterceptorFactory,
  ObservedClient,
} from '../client/interceptors.js';

/** Where spans and figures go. */
export interface TelemetryOptions {
  /** Default: the global tracer provider's. */
  readonly tracer?: Tracer;
  /** Default: the global meter provider's. */
  readonly meter?: Meter;
  /** Whether a span is made for each command. Default true. */
  readonly spans?: boolean;
}

const NAME = 'nestjs-valkey';

/**
 * Spans and durations of commands by OpenTelemetry's semantic conventions for databases: `db.system.name`,
 * `db.operation.name`, `error.type`, and the histogram `db.client.operation.duration`. Arguments are never recorded.
 *
 * @example
 * ```ts
 * ValkeyModule.forRoot({ interceptors: [new Telemetry()] });
 * ```
 */
export class Telemetry implements InterceptorFactory {
  readonly #tracer: Tracer | undefined;
  readonly #durations: Histogram;

  constructor({ tracer = trace.getTracer(NAME), meter = metrics.getMeter(NAME), spans = true }: TelemetryOptions = {}) {
    this.#tracer = spans ? tracer : undefined;
    this.#durations = meter.createHistogram('db.client.operation.duration', {
      unit: 's',
      description: 'Duration of database client operations',
      advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] },
    });
  }

  /** @internal */
  forClient({ client }: ObservedClient): CommandHooks {
    return new CommandTelemetry(this.#tracer, this.#durations, client);
  }
}

class CommandTelemetry implements CommandHooks {
  readonly #tracer: Tracer | undefined;
  readonly #durations: Histogram;
  readonly #client: string;
  readonly #spans = new WeakMap<CommandCall, Span>();

  constructor(tracer: Tracer | undefined, durations: Histogram, client: string) {
    this.#tracer = tracer;
    this.#durations = durations;
    this.#client = client;
  }

  beforeCommand(call: CommandCall): void {
    const span = this.#tracer?.startSpan(call.command, { kind: SpanKind.CLIENT, attributes: this.#attributes(call) });
    if (span) this.#spans.set(call, span);
  }

  afterCommand(call: CommandCall, { error, durationMs }: CommandResult): void {
    const attributes = this.#attributes(call, error?.code);
    this.#durations.record(durationMs / 1000, attributes);
    const span = this.#spans.get(call);
    if (!span) return;
    if (error) {
      span.setAttribute('error.type', error.code);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span.end();
  }

  #attributes({ command }: CommandCall, errorType?: string): Attributes {
    return {
      'db.system.name': 'valkey',
      'db.operation.name': command,
      'db.client.name': this.#client,
      ...(errorType === undefined ? {} : { 'error.type': errorType }),
    };
  }
}
