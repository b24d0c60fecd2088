import type { CredentialsProvider } from 'nestjs-valkey';

/** What an identity service hands out. */
export interface IamToken {
  readonly token: string;
  /** When it ends, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Credentials of a user whose password is a token: asked for at each connect, and again before the token ends. */
export function iamCredentials(username: string, fetchIamToken: () => Promise<IamToken>): CredentialsProvider {
  return async () => {
    const { token, expiresAt } = await fetchIamToken();
    return { username, password: token, expiresAt };
  };
}
