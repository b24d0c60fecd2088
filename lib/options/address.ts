import { isIPv6 } from 'node:net';
import type { Address } from './settings.js';

/** Where a Valkey server listens unless told otherwise. */
export const SERVER_PORT = 6379;
/** Where a sentinel listens unless told otherwise. */
export const SENTINEL_PORT = 26379;

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?$/;
const BRACKETED = /^\[([^\]]+)\](?::(\d+))?$/;
const PLAIN = /^([^:]+)(?::(\d+))?$/;

/** Whether `text` is a host name or an address, without a port. */
export function isHost(text: string): boolean {
  return HOST_NAME.test(text) || isIPv6(text);
}

/** Whether `port` is one a server can listen on. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Reads `host`, `host:port`, `[::1]:port`; `undefined` when it is none of these. */
export function parseAddress(text: string, defaultPort: number): Address | undefined {
  const trimmed = text.trim();
  if (isIPv6(trimmed)) return { host: trimmed, port: defaultPort };
  const match = BRACKETED.exec(trimmed) ?? PLAIN.exec(trimmed);
  const host = match?.[1] ?? '';
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  const bracketed = trimmed.startsWith('[');
  const legal = bracketed ? isIPv6(host) : HOST_NAME.test(host);
  return legal && isPort(port) ? { host, port } : undefined;
}

/** Reads a list of addresses in any of the forms options allow; `undefined` when it is empty or one is wrong. */
export function parseAddresses(raw: unknown, defaultPort: number): readonly Address[] | undefined {
  const items: unknown[] | undefined = typeof raw === 'string' ? raw.split(',') : Array.isArray(raw) ? raw : undefined;
  if (!items || items.length === 0) return undefined;
  const addresses = items.map((item) => (typeof item === 'string' ? parseAddress(item, defaultPort) : fromPair(item)));
  return addresses.every((address) => address !== undefined) ? addresses : undefined;
}

/** `host:port`, with brackets around an IPv6 host. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function fromPair(item: unknown): Address | undefined {
  if (typeof item !== 'object' || item === null || !('host' in item) || !('port' in item)) return undefined;
  const { host, port } = item;
  return typeof host === 'string' && isHost(host) && typeof port === 'number' && isPort(port)
    ? { host, port }
    : undefined;
}
