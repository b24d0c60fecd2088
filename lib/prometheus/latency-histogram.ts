/** Upper bounds in seconds: from a tenth of a millisecond on a local server to a missed deadline. */
export const DEFAULT_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

/** One series of a histogram: an observation is a few comparisons and two additions. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(seconds: number): void {
    let index = 0;
    while (index < this.#bounds.length && seconds > (this.#bounds[index] as number)) index += 1;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sum += seconds;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }

  get sum(): number {
    return this.#sum;
  }

  /** How many observations were at most each bound, and in the end how many there were in all. */
  cumulative(): readonly { readonly le: number | '+Inf'; readonly count: number }[] {
    let count = 0;
    return [...this.#bounds, '+Inf' as const].map((le, index) => {
      count += this.#counts[index] as number;
      return { le, count };
    });
  }
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName: string;
}

/**
 * A histogram prom-client can collect, without prom-client's price per observation: it hashes labels each time, which
 * costs more than a merged GET.
 */
export class LatencyHistogram {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: readonly number[];
  readonly #series = new Map<
    string,
    { readonly labels: Readonly<Record<string, string>>; readonly values: Distribution }
  >();

  constructor(
    readonly name: string,
    readonly help: string,
    bounds: readonly number[],
  ) {
    this.#bounds = bounds;
  }

  /** The series of these labels; keep it and observe on it. */
  series(labels: Readonly<Record<string, string>>): Distribution {
    const id = JSON.stringify(labels);
    let series = this.#series.get(id);
    if (!series) {
      series = { labels, values: new Distribution(this.#bounds) };
      this.#series.set(id, series);
    }
    return series.values;
  }

  /** What prom-client asks at a scrape. */
  get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    return Promise.resolve({ name, help, type, aggregator, values: this.#samples() });
  }

  /** Series stay: those who observe on them hold them. */
  reset(): void {
    for (const { values } of this.#series.values()) values.reset();
  }

  #samples(): readonly Sample[] {
    return [...this.#series.values()].flatMap(({ labels, values }) => {
      const buckets = values.cumulative();
      const total = buckets.at(-1)?.count ?? 0;
      return [
        ...buckets.map(({ le, count }) => ({
          labels: { ...labels, le },
          value: count,
          metricName: `${this.name}_bucket`,
        })),
        { labels, value: values.sum, metricName: `${this.name}_sum` },
        { labels, value: total, metricName: `${this.name}_count` },
      ];
    });
  }
}
