import { BadRequestException, Body, Controller, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { HttpCache } from 'nestjs-valkey';
import type { Product, ProductPatch } from './product.js';
import { ProductService } from './product.service.js';

interface ById {
  readonly params: { readonly id: string };
}

@Controller('products')
export class ProductController {
  constructor(@Inject(ProductService) private readonly products: ProductService) {}

  /** Browsers ask each time whether it has changed: no eviction reaches what they keep. */
  @HttpCache({ ttl: '1m', tags: (request: ById) => [`product:${request.params.id}`], cacheControl: 'no-cache' })
  @Get(':id')
  find(@Param('id') id: string): Promise<Product> {
    return this.products.find(id);
  }

  @Put(':id')
  @HttpCode(204)
  async update(@Param('id') id: string, @Body() body: unknown): Promise<void> {
    await this.products.update(id, toPatch(body));
  }
}

function toPatch(body: unknown): ProductPatch {
  const { name, price } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (name !== undefined && typeof name !== 'string') throw new BadRequestException('name must be a string');
  if (price !== undefined && typeof price !== 'number') throw new BadRequestException('price must be a number');
  return { ...(name === undefined ? {} : { name }), ...(price === undefined ? {} : { price }) };
}
