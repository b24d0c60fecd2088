import { Inject, Injectable } from '@nestjs/common';
import { Cacheable, CacheEvict } from 'nestjs-valkey';
import type { Product, ProductPatch } from './product.js';
import { ProductRepository } from './product.repository.js';

/** A cache that is away makes a request slower, never wrong. */
@Injectable()
export class ProductService {
  constructor(@Inject(ProductRepository) private readonly repository: ProductRepository) {}

  @Cacheable({ key: (id: string) => `product:${id}`, ttl: '5m', staleFor: '1h', tags: (id) => [`product:${id}`] })
  find(id: string): Promise<Product> {
    return this.repository.find(id);
  }

  @CacheEvict({ tags: (id: string) => [`product:${id}`] })
  async update(id: string, patch: ProductPatch): Promise<void> {
    this.repository.update(id, patch);
  }
}
