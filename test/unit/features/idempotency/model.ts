import * as fc from 'fast-check';
import type { CacheClient } from '../../../../lib/index.js';
import {
  claimWork,
  completeWork,
  releaseClaim,
  renewClaim,
} from '../../../../lib/features/idempotency/idempotency-scripts.js';

const KEY = 'idempotent:0::model';
const LEASE = 600_000;
const TTL = 3_600_000;

/** What an actor does next; `expire` and `crash` happen to it. */
export type Move = readonly [actor: 0 | 1, what: 'claim' | 'renew' | 'complete' | 'fail' | 'expire' | 'crash'];

export const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.tuple(
    fc.constantFrom(0 as const, 1 as const),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('claim' as const) },
      { weight: 4, arbitrary: fc.constant('expire' as const) },
      { weight: 3, arbitrary: fc.constant('complete' as const) },
      { weight: 1, arbitrary: fc.constantFrom('renew' as const, 'fail' as const, 'crash' as const) },
    ),
  ),
  { minLength: 1, maxLength: 25 },
);

/** What stands under the key, in the test's own words. */
type Record =
  | { readonly kind: 'none' }
  | { readonly kind: 'claimed'; readonly token: string }
  | { readonly kind: 'done'; readonly result: string };

/**
 * Plays two actors on one key, and says of each move what came of it and what had to. A result is the token of the claim it
 * was made under.
 */
export async function play(client: CacheClient, sequence: readonly Move[]): Promise<Outcome> {
  await client.del(KEY);
  let record: Record = { kind: 'none' };
  let claims = 0;
  /** What each actor works under; it may have lost it without knowing. */
  const tokens: [string | undefined, string | undefined] = [undefined, undefined];
  const seen: unknown[] = [];
  const expected: unknown[] = [];
  const completed = new Set<string>();
  const replayed = new Set<string>();
  for (const [actor, what] of sequence) {
    const token = tokens[actor];
    if (what === 'claim') {
      if (token !== undefined) continue;
      const fresh = `token-${(claims += 1)}`;
      const [kind, figure] = await claim(client, fresh);
      seen.push([what, kind]);
      if (kind === 0) tokens[actor] = fresh;
      if (kind === 3) replayed.add(String(figure));
      expected.push([what, record.kind === 'none' ? 0 : record.kind === 'claimed' ? 1 : 3]);
      if (record.kind === 'none') record = { kind: 'claimed', token: fresh };
    } else if (what === 'expire') {
      if (record.kind === 'claimed') {
        record = { kind: 'none' };
        await client.del(KEY);
      }
    } else if (token === undefined) {
      continue;
    } else if (what === 'crash') {
      tokens[actor] = undefined;
    } else {
      const isOurs: boolean = record.kind === 'claimed' && record.token === token;
      const answer = await act(client, what, token);
      seen.push([what, answer]);
      if (what === 'complete') {
        const isFree = isOurs || record.kind === 'none';
        expected.push([what, isFree ? 1 : 0]);
        if (answer === 1) completed.add(token);
        if (isFree) record = { kind: 'done', result: token };
      } else {
        expected.push([what, isOurs ? 1 : 0]);
        if (what === 'fail' && isOurs) record = { kind: 'none' };
      }
      if (what !== 'renew') tokens[actor] = undefined;
    }
  }
  return { seen, expected, completed, replayed };
}

export interface Outcome {
  readonly seen: readonly unknown[];
  readonly expected: readonly unknown[];
  /** Under which tokens a result was kept. */
  readonly completed: ReadonlySet<string>;
  /** The results that were given again. */
  readonly replayed: ReadonlySet<string>;
}

function claim(client: CacheClient, token: string): Promise<readonly [number, unknown?]> {
  return client.run<readonly [number, unknown?]>(claimWork, [KEY], [token, 'print', LEASE]);
}

function act(client: CacheClient, what: 'renew' | 'complete' | 'fail', token: string): Promise<unknown> {
  if (what === 'renew') return client.run(renewClaim, [KEY], [token, LEASE]);
  if (what === 'fail') return client.run(releaseClaim, [KEY], [token]);
  return client.run(completeWork, [KEY], [token, 'print', 'd', TTL, token]);
}
