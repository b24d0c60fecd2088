import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Histogram, Meter, Span, Tracer } from '@opentelemetry/api';
import type {
  CommandCall,
  CommandHooks,
  CommandResult,
  InterceptorFactory,
  ObservedClient,
  PipelineInfo,
} from '../client/interceptors.js';
import { ReplyError } from '../core/errors.js';
import type { ValkeyError } from '../core/errors.js';

/** Where spans and figures go. */
export interface TelemetryOptions {
  /** Default: the global tracer provider's. */
  readonly tracer?: Tracer;
  /** Default: the global meter provider's. */
  readonly meter?: Meter;
  /** Whether a span is made for each command, pipeline and transaction. Default true. */
  readonly spans?: boolean;
}

const NAME = 'nestjs-valkey';
/** The convention's own, in seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * Spans and durations of commands by OpenTelemetry's semantic conventions for databases. Arguments are never recorded.
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
      advice: { explicitBucketBoundaries: BUCKETS },
    });
  }

  /** @internal */
  forClient(client: ObservedClient): CommandHooks {
    const durations = new CommandDurations(this.#durations, client);
    return this.#tracer ? new CommandSpans(this.#tracer, durations, client) : durations;
  }
}

/** The histogram alone. */
class CommandDurations implements CommandHooks {
  readonly #histogram: Histogram;
  readonly #client: ObservedClient;

  constructor(histogram: Histogram, client: ObservedClient) {
    this.#histogram = histogram;
    this.#client = client;
  }

  afterCommand({ command }: CommandCall, { error, durationMs }: CommandResult): void {
    const attributes = { ...attributesOf(command, this.#client), ...(error && failureAttributes(error)) };
    this.#histogram.record(durationMs / 1000, attributes);
  }
}

/** Spans beside it. They begin in the caller's context, so that they are children of the span it works in. */
class CommandSpans implements CommandHooks {
  readonly #tracer: Tracer;
  readonly #durations: CommandDurations;
  readonly #client: ObservedClient;
  readonly #spans = new WeakMap<CommandCall | PipelineInfo, Span>();

  constructor(tracer: Tracer, durations: CommandDurations, client: ObservedClient) {
    this.#tracer = tracer;
    this.#durations = durations;
    this.#client = client;
  }

  beforeCommand(call: CommandCall): void {
    this.#begin(call, call.command, attributesOf(call.command, this.#client));
  }

  afterCommand(call: CommandCall, result: CommandResult): void {
    this.#durations.afterCommand(call, result);
    const span = this.#spans.get(call);
    const { error } = result;
    if (span && error) span.setAttributes(failureAttributes(error)).setStatus(failed(error.code));
    span?.end();
  }

  beforePipeline(info: PipelineInfo): void {
    const name = info.kind === 'transaction' ? 'MULTI' : 'PIPELINE';
    const attributes = attributesOf(name, this.#client);
    // The convention: one command is no batch.
    if (info.size > 1) attributes['db.operation.batch.size'] = info.size;
    this.#begin(info, name, attributes);
  }

  afterPipeline(info: PipelineInfo, result: { readonly failed: number }): void {
    const span = this.#spans.get(info);
    if (span && result.failed > 0) {
      span.setAttribute('error.type', 'VALKEY_PIPELINE_FAILED');
      span.setStatus(failed(`${result.failed} of ${info.size} commands failed`));
    }
    span?.end();
  }

  #begin(subject: CommandCall | PipelineInfo, name: string, attributes: Attributes): void {
    this.#spans.set(subject, this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }));
  }
}

function attributesOf(operation: string, client: ObservedClient): Attributes {
  return {
    'db.system.name': 'valkey',
    'db.operation.name': operation,
    'valkey.client.name': client.client,
    ...serverAttributes(client),
  };
}

/** Known only where there is but one server: which of several will run a command is decided later. */
function serverAttributes({ nodes }: ObservedClient): Attributes {
  const [node, ...others] = nodes();
  const [, host, port] = (others.length === 0 && node && /^\[?(.+?)\]?:(\d+)$/.exec(node.route.id)) || [];
  return host === undefined ? {} : { 'server.address': host, 'server.port': Number(port) };
}

function failureAttributes(error: ValkeyError): Attributes {
  return {
    'error.type': error.code,
    ...(error instanceof ReplyError ? { 'db.response.status_code': error.kind } : {}),
  };
}

/** Without the error's own message: a script's author may have put anything into it. */
function failed(message: string): { code: SpanStatusCode; message: string } {
  return { code: SpanStatusCode.ERROR, message };
}
