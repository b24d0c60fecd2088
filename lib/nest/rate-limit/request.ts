import type { ExecutionContext } from '@nestjs/common';
import type { HandlerKind } from '../handlers.js';

/** What a call came with. */
export interface Seen {
  /** What functions get. */
  readonly seen: unknown;
  /** Where addresses, users and headers are looked for. */
  readonly request: unknown;
}

/** What GraphQL drivers put into the context of a query. */
interface GraphqlContext {
  readonly req?: unknown;
  readonly request?: unknown;
  readonly reply?: { readonly request?: unknown };
}

/** Finds the request of a call, or what stands for it; `find` knows better. */
export function requestOf(
  context: ExecutionContext,
  kind: HandlerKind,
  find: ((context: ExecutionContext) => object | undefined) | undefined,
): Seen {
  const found = find?.(context);
  if (found) return { seen: found, request: found };
  switch (kind) {
    case 'http':
    case 'ws': {
      const first = context.getArgByIndex<unknown>(0);
      return { seen: first, request: first };
    }
    case 'graphql': {
      const { req, request, reply } = Object(context.getArgByIndex<unknown>(2)) as GraphqlContext;
      const behind = req ?? request ?? reply?.request;
      return { seen: behind, request: behind };
    }
    case 'rpc':
      // Senders write what they like into a payload: an address in there is none.
      return { seen: context.getArgByIndex<unknown>(0), request: undefined };
  }
}
