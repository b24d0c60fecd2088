import { blocking } from './families/blocking.js';
import { bytes } from './families/bytes.js';
import { calls } from './families/calls.js';
import { closing } from './families/closing.js';
import { expiry } from './families/expiry.js';
import { hashes } from './families/hashes.js';
import { json } from './families/json.js';
import { keys } from './families/keys.js';
import { lists } from './families/lists.js';
import { manyKeys } from './families/many-keys.js';
import { numbers } from './families/numbers.js';
import { pipelines } from './families/pipelines.js';
import { prefixes } from './families/prefixes.js';
import { scans } from './families/scans.js';
import { scopes } from './families/scopes.js';
import { scripts } from './families/scripts.js';
import { server } from './families/server.js';
import { sets } from './families/sets.js';
import { sortedSetRanges } from './families/sorted-set-ranges.js';
import { sortedSets } from './families/sorted-sets.js';
import { streamGroups } from './families/stream-groups.js';
import { streams } from './families/streams.js';
import { strings } from './families/strings.js';
import { subscriptions } from './families/subscriptions.js';
import { tenancy } from './families/tenants.js';
import { tracking } from './families/tracking.js';
import { transactions } from './families/transactions.js';
import type { Family } from './trial.js';

/** All tests of the suite, in the order they run. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  'server and client': server,
  strings,
  numbers,
  keys,
  expiry,
  'many keys': manyKeys,
  bytes,
  json,
  hashes,
  lists,
  'blocking commands': blocking,
  sets,
  'sorted sets': sortedSets,
  'ranges and combinations of sorted sets': sortedSetRanges,
  streams,
  'consumer groups': streamGroups,
  pipelines,
  transactions,
  scripts,
  scans,
  'any command': calls,
  subscriptions,
  'changes of keys': tracking,
  scopes,
  'key prefix': prefixes,
  tenants: tenancy,
  closing,
};
