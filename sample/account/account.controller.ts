import { Controller, Get, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { PermissionCache, TokenBlacklist } from 'nestjs-valkey';
import { BearerGuard } from './bearer.guard.js';
import type { BearerRequest } from './bearer.guard.js';
import type { Permission } from './user.repository.js';

interface Account {
  readonly user: string;
  readonly permissions: readonly Permission[];
}

/** How long the sample's tokens are good. */
const TOKEN_LIFE = '1h';

@UseGuards(BearerGuard)
@Controller()
export class AccountController {
  constructor(
    @Inject(PermissionCache) private readonly permissions: PermissionCache<Permission>,
    @Inject(TokenBlacklist) private readonly blacklist: TokenBlacklist,
  ) {}

  @Get('me')
  async me(@Req() { bearer: { user } }: BearerRequest): Promise<Account> {
    return { user, permissions: await this.permissions.of(user) };
  }

  @Post('logout')
  @HttpCode(204)
  async logout(@Req() { bearer: { token } }: BearerRequest): Promise<void> {
    await this.blacklist.add(token, { ttl: TOKEN_LIFE });
  }
}
