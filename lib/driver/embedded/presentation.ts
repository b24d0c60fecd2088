import type { Reply } from '../driver.js';
import { bytesOf, lossless, shown } from './data/bytes.js';

/** A reply as the caller wants it: text, or bytes for all text in it. */
export function present(reply: Reply, binary: boolean): Reply {
  if (typeof reply === 'string' || Buffer.isBuffer(reply)) return binary ? bytesOf(reply) : shown(reply);
  if (Array.isArray(reply)) return (reply as readonly Reply[]).map((item) => present(item, binary));
  return typeof reply === 'bigint' ? exact(reply) : reply;
}

/** A reply for a script's twin: text where it is text, bytes where only bytes keep everything. */
export function presentToScript(reply: Reply): Reply {
  if (typeof reply === 'string' || Buffer.isBuffer(reply)) return lossless(reply);
  if (Array.isArray(reply)) return (reply as readonly Reply[]).map(presentToScript);
  return typeof reply === 'bigint' ? exact(reply) : reply;
}

/** What a twin answers: whole numbers, as from Lua. */
export function fromScript(reply: Reply): Reply {
  if (typeof reply === 'number') return Math.trunc(reply);
  return Array.isArray(reply) ? (reply as readonly Reply[]).map(fromScript) : reply;
}

function exact(integer: bigint): number | bigint {
  const near = Number(integer);
  return Number.isSafeInteger(near) ? near : integer;
}
