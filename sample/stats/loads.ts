import { Injectable } from '@nestjs/common';

/** Counts how often each slow loader really ran. */
@Injectable()
export class Loads {
  readonly #counts: Record<'products', number> = { products: 0 };

  count(loader: 'products'): void {
    this.#counts[loader] += 1;
  }

  get counts(): Readonly<Record<'products', number>> {
    return { ...this.#counts };
  }
}
