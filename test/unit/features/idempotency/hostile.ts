import * as fc from 'fast-check';
import type { CacheClient, Reply } from '../../../../lib/index.js';
import {
  claimWork,
  completeWork,
  releaseClaim,
  renewClaim,
} from '../../../../lib/features/idempotency/idempotency-scripts.js';

const KEY = 'idempotent:0::hostile';
const LEASE = 600_000;

/** What a stranger, or another version, might have left under a key. */
export type Seed =
  { readonly type: 'text'; readonly value: Buffer } | { readonly type: 'list' } | { readonly type: 'none' };

const part = fc.constantFrom(
  'p',
  'd',
  'x',
  'q',
  '',
  ' ',
  'me',
  'you',
  'print',
  '\n',
  '\r\n',
  '\t',
  '\u00a0',
  '\0',
  'a b',
  'é',
);
const text = fc.oneof(
  fc.array(part, { maxLength: 7 }).map((parts) => Buffer.from(parts.join(' '))),
  fc.array(part, { maxLength: 7 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
  fc
    .tuple(
      fc.constantFrom('p', 'd', 'x'),
      fc.constantFrom('me', 'you'),
      fc.constantFrom('print', 'other'),
      fc.uint8Array(),
    )
    .map(([state, token, print, rest]) => Buffer.concat([Buffer.from(`${state} ${token} ${print}\n`), rest])),
);
export const seed: fc.Arbitrary<Seed> = fc.oneof(
  { weight: 6, arbitrary: text.map((value) => ({ type: 'text' as const, value })) },
  { weight: 1, arbitrary: fc.constant({ type: 'list' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'none' as const }) },
);

export const steps = fc.array(fc.constantFrom('claim', 'renew', 'complete', 'not-kept', 'release'), {
  minLength: 1,
  maxLength: 6,
});

/** What becomes of it: each reply, or its error, and what is stored afterwards. */
export async function outcomes(
  client: CacheClient,
  given: Seed,
  sequence: readonly string[],
): Promise<readonly unknown[]> {
  await client.del(KEY);
  if (given.type === 'text') await client.set(KEY, given.value);
  if (given.type === 'list') await client.rpush(KEY, 'a', 'b');
  const seen: unknown[] = [];
  for (const step of sequence) {
    const reply = await run(client, step).catch((error: Error) => error.message);
    const type = await client.type(KEY);
    const stored = type === 'string' ? (await client.getBuffer(KEY))?.toString('latin1') : type;
    seen.push([step, comparable(reply), stored]);
  }
  return seen;
}

function run(client: CacheClient, step: string): Promise<unknown> {
  switch (step) {
    case 'claim':
      return client.run(claimWork, [KEY], ['me', 'print', LEASE], { binary: true });
    case 'renew':
      return client.run(renewClaim, [KEY], ['me', LEASE]);
    case 'release':
      return client.run(releaseClaim, [KEY], ['me']);
    default:
      return client.run(
        completeWork,
        [KEY],
        ['me', 'print', step === 'complete' ? 'd' : 'x', LEASE, Buffer.from([0, 255, 10])],
      );
  }
}

/** Clocks go on: of what a claim has left only that it is sensible. */
function comparable(reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  const [kind, figure] = reply as readonly Reply[];
  if (kind === 1) return [1, Number(figure) <= LEASE && Number(figure) > LEASE / 2];
  return [kind, Buffer.isBuffer(figure) ? figure.toString('latin1') : figure];
}
