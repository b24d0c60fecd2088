import { createServer } from 'node:net';

// Below the ephemeral ranges of Linux and macOS, so that no outgoing connection takes a port while its server is down,
// and low enough that the cluster bus (port + 10 000) stays below them too.
const FIRST = 11_000;
const COUNT = 11_000;
const BUS_OFFSET = 10_000;

const given = new Set<number>();

/** A loopback port that is free now, and so is its cluster bus port; never the same one twice. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (given.has(port)) continue;
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port found between ${FIRST} and ${FIRST + COUNT}; stop what listens there`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
