import { createServer } from 'node:net';

// Below the ephemeral ranges of Linux and macOS, so that no outgoing connection takes a port while its server is down,
// and low enough that the cluster bus (port + 10 000) stays below them too.
const FIRST = 11_000;
const COUNT = 11_000;
const BUS_OFFSET = 10_000;

// Each worker has ports of its own: one whose server is down for a moment must not be taken by a server of another test.
const WORKERS = 8;
const EACH = Math.floor(COUNT / WORKERS);
const OWN = FIRST + (Number(process.env['JEST_WORKER_ID'] ?? 1) % WORKERS) * EACH;

const given = new Set<number>();

/** A loopback port that is free now, and so is its cluster bus port; never the same one twice. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = OWN + Math.floor(Math.random() * EACH);
    if (given.has(port)) continue;
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port found between ${OWN} and ${OWN + EACH}; stop what listens there`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
