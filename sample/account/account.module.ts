import { Module } from '@nestjs/common';
import { providePermissionCache, provideTokenBlacklist } from 'nestjs-valkey';
import { StatsModule } from '../stats/stats.module.js';
import { AccountController } from './account.controller.js';
import { UserRepository } from './user.repository.js';

@Module({
  imports: [StatsModule],
  controllers: [AccountController],
  providers: [
    UserRepository,
    providePermissionCache({
      inject: [UserRepository],
      useFactory: (users: UserRepository) => ({ load: (user) => users.permissionsOf(user) }),
    }),
    provideTokenBlacklist(),
  ],
})
export class AccountModule {}
