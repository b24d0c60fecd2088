import type { ValkeyNode } from './node.js';

/**
 * One of `replicas` that can be expected to answer. The same `seed` chooses the same one as long as nothing changes, so
 * that routing an operation and sending it agree.
 */
export function chooseReplica(replicas: readonly ValkeyNode[], seed: number): ValkeyNode | undefined {
  const able = replicas.filter(({ shared }) => shared.promising);
  return able[seed % able.length];
}
