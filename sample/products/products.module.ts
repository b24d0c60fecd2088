import { Module } from '@nestjs/common';
import { StatsModule } from '../stats/stats.module.js';
import { ProductController } from './product.controller.js';
import { ProductRepository } from './product.repository.js';
import { ProductService } from './product.service.js';

@Module({ imports: [StatsModule], controllers: [ProductController], providers: [ProductRepository, ProductService] })
export class ProductsModule {}
