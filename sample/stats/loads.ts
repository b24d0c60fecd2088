import { Injectable } from '@nestjs/common';

/** What is slow. */
type Loader = 'products' | 'permissions';

/** Counts how often each slow loader really ran. */
@Injectable()
export class Loads {
  readonly #counts: Record<Loader, number> = { products: 0, permissions: 0 };

  count(loader: Loader): void {
    this.#counts[loader] += 1;
  }

  get counts(): Readonly<Record<Loader, number>> {
    return { ...this.#counts };
  }
}
