import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Loads } from '../stats/loads.js';
import type { Product, ProductPatch } from './product.js';

/** How long the imaginary database takes, in milliseconds. */
const LATENCY = 50;

/** Stands in for a slow database with one product for every id. */
@Injectable()
export class ProductRepository {
  readonly #changes = new Map<string, ProductPatch>();

  constructor(@Inject(Loads) private readonly loads: Loads) {}

  async find(id: string): Promise<Product> {
    this.loads.count('products');
    await sleep(LATENCY);
    return { id, name: `Product ${id}`, price: 100, ...this.#changes.get(id) };
  }

  update(id: string, patch: ProductPatch): void {
    this.#changes.set(id, { ...this.#changes.get(id), ...patch });
  }
}
