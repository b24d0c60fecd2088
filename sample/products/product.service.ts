import { Inject, Injectable, Logger } from '@nestjs/common';
import { CACHE_CLIENT, CacheClient } from 'nestjs-valkey';
import type { Product, ProductPatch } from './product.js';
import { ProductRepository } from './product.repository.js';

/** Caches by hand, through the client: what a read-through cache does, spelled out. */
@Injectable()
export class ProductService {
  readonly #logger = new Logger(ProductService.name);

  constructor(
    @Inject(CACHE_CLIENT) private readonly client: CacheClient,
    @Inject(ProductRepository) private readonly repository: ProductRepository,
  ) {}

  async find(id: string): Promise<Product> {
    const cached = await this.orNothing(this.client.getJson<Product>(keyOf(id)));
    if (cached) return cached;
    const product = await this.repository.find(id);
    await this.orNothing(this.client.setJson(keyOf(id), product, { ttl: '5m' }));
    return product;
  }

  async update(id: string, patch: ProductPatch): Promise<void> {
    this.repository.update(id, patch);
    await this.orNothing(this.client.del(keyOf(id)));
  }

  /** A cache that is away makes a request slower, never wrong. */
  private async orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      this.#logger.warn(`The cache is away: ${error instanceof Error ? error.message : 'unknown reason'}`);
      return undefined;
    }
  }
}

function keyOf(id: string): string {
  return `product:${id}`;
}
