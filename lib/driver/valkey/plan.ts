import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { identityOf } from '../../core/events.js';
import type { Credentials, Settings, TlsSettings } from '../../options/settings.js';
import { silenceOf } from '../silence.js';
import type { NodePlan } from './node.js';

/** The part of a connection's plan that all servers of a client share. */
export type SharedPlan = Omit<NodePlan, 'address'>;

/** @returns how to connect to any server of `settings`, but for its address */
export function sharedPlan(
  settings: Settings,
  credentials: () => Promise<Credentials | undefined> | Credentials | undefined,
): SharedPlan {
  const { topology } = settings;
  return {
    identity: identityOf(settings),
    lane: 'shared',
    credentials,
    tls: settings.tls && tlsOptions(settings.tls),
    db: topology.mode === 'single' || topology.mode === 'sentinel' ? topology.db : 0,
    dialTimeout: settings.timeouts.dial,
    stallAfter: silenceOf(settings.timeouts),
  };
}

function tlsOptions(tls: TlsSettings): TlsOptions {
  return {
    minVersion: tls.minVersion,
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}
