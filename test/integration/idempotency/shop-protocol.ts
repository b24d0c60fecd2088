import type { IdempotencyOptions } from '../../../lib/index.js';

/** How a process of its own is set up. */
export interface ShopSetup {
  readonly framework: 'Express' | 'Fastify';
  readonly client: Readonly<Record<string, unknown>>;
  readonly idempotency: IdempotencyOptions;
}

export type ToShop =
  | { readonly kind: 'setup'; readonly setup: ShopSetup }
  | { readonly kind: 'worked'; readonly id: number; readonly answer: unknown };

export type FromShop =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'work'; readonly id: number; readonly body: unknown }
  | { readonly kind: 'event'; readonly outcome: string }
  | { readonly kind: 'rejection'; readonly text: string };
