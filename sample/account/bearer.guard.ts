import { Inject, Injectable, ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { TokenBlacklist } from 'nestjs-valkey';

/** Who sent a request, and with what. */
export interface Bearer {
  readonly user: string;
  readonly token: string;
}

/** A request that has passed the guard. */
export interface BearerRequest {
  readonly headers: { readonly authorization?: string };
  bearer: Bearer;
}

/** `Bearer <user>.<anything>`. A shop that sells something would verify a signature here. */
const TOKEN = /^Bearer (?<token>(?<user>[^.\s]+)\.\S+)$/i;

/** Lets nobody pass whose token was given up; and nobody at all when that cannot be told. */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(@Inject(TokenBlacklist) private readonly blacklist: TokenBlacklist) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<BearerRequest>();
    const { user, token } = TOKEN.exec(request.headers.authorization ?? '')?.groups ?? {};
    if (user === undefined || token === undefined) throw new UnauthorizedException();
    if (await this.#isGivenUp(token)) throw new UnauthorizedException();
    request.bearer = { user, token };
    return true;
  }

  async #isGivenUp(token: string): Promise<boolean> {
    try {
      return await this.blacklist.has(token);
    } catch (cause) {
      throw new ServiceUnavailableException('It cannot be told whether this token is still good.', { cause });
    }
  }
}
