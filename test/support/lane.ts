import type { Socket } from 'node:net';

/** How bytes travel now; shared by all lanes of a proxy and changed while they run. */
export interface Weather {
  /** Milliseconds each reply is held back. */
  delay: number;
  /** At most so many bytes each so many milliseconds. */
  slow: { readonly bytes: number; readonly every: number } | undefined;
  /** Nothing arrives: bytes wait (`hold`) or are lost (`drop`). */
  hole: 'hold' | 'drop' | undefined;
}

interface Parcel {
  readonly bytes: Buffer;
  readonly arrived: number;
}

/** One direction of a proxied connection: a queue that gives its bytes to a socket as the weather allows. */
export class Lane {
  readonly #queue: Parcel[] = [];
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly weather: Readonly<Weather>,
    private readonly to: Socket,
    private readonly isDelayed: boolean,
    private readonly count: (bytes: number) => void,
  ) {}

  push(bytes: Buffer): void {
    if (bytes.length === 0 || this.weather.hole === 'drop') return;
    this.#queue.push({ bytes, arrived: performance.now() });
    this.#deliver();
  }

  /** Closes the socket once everything in the queue has arrived. */
  end(): void {
    this.#ending = true;
    this.#deliver();
  }

  /** Looks again, for the weather has changed. */
  wake(): void {
    this.stop();
    this.#deliver();
  }

  /** Delivers nothing more by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #deliver(): void {
    if (this.#timer || this.weather.hole || this.to.destroyed) return;
    const { slow } = this.weather;
    for (let parcel = this.#queue.shift(); parcel; parcel = this.#queue.shift()) {
      const wait = parcel.arrived + (this.isDelayed ? this.weather.delay : 0) - performance.now();
      if (wait > 0) return this.#later(parcel, wait);
      if (!slow) {
        this.#send(parcel.bytes);
        continue;
      }
      this.#send(parcel.bytes.subarray(0, slow.bytes));
      return this.#later({ ...parcel, bytes: parcel.bytes.subarray(slow.bytes) }, slow.every);
    }
    if (this.#ending) this.to.end();
  }

  #send(bytes: Buffer): void {
    this.to.write(bytes);
    this.count(bytes.length);
  }

  #later(parcel: Parcel, wait: number): void {
    if (parcel.bytes.length > 0) this.#queue.unshift(parcel);
    this.#timer = setTimeout(() => this.wake(), wait);
  }
}
