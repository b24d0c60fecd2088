import { Module } from '@nestjs/common';
import { Loads } from './loads.js';
import { StatsController } from './stats.controller.js';

@Module({ controllers: [StatsController], providers: [Loads], exports: [Loads] })
export class StatsModule {}
