import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { readFrame } from '../../support/resp.js';

/** Milliseconds every reply is held back: what is sent in one go arrives before the first answer leaves. */
const HOLD = 25;
/** What keeps connections alive and is nobody's round trip. */
const HOUSEKEEPING = /^(PING|CLIENT|HELLO|INFO|AUTH|SELECT|SUBSCRIBE|ROLE|COMMAND)\b/;

/** Stands between a client and its server and writes down what travels together. */
export interface Recorder {
  readonly port: number;
  /** One list for each round trip since it was asked last: its commands, with their keys. */
  take(): readonly (readonly string[])[];
  close(): Promise<void>;
}

export async function startRecorder(target: { readonly host: string; readonly port: number }): Promise<Recorder> {
  let trips: string[][] = [];
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ ...target, noDelay: true });
    let open: string[] | undefined;
    let received: Buffer = Buffer.alloc(0);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      server.write(chunk);
      received = Buffer.concat([received, chunk]);
      for (let frame = readFrame(received); frame; frame = readFrame(received)) {
        received = received.subarray(frame.end);
        const command = described((frame.value as unknown[]).map(String));
        if (HOUSEKEEPING.test(command)) continue;
        if (!open) trips.push((open = []));
        open.push(command);
      }
    });
    server.on('data', (chunk: Buffer) => {
      setTimeout(() => {
        open = undefined;
        client.write(chunk);
      }, HOLD);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    take: () => {
      const taken = trips;
      trips = [];
      return taken;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** `GET key`, `EVALSHA key key`: neither digests nor values, which are different each time. */
function described([name = '', ...args]: readonly string[]): string {
  const command = name.toUpperCase();
  if (command !== 'EVALSHA' && command !== 'EVALSHA_RO') return [command, ...args].join(' ');
  return [command, ...args.slice(2, 2 + Number(args[1]))].join(' ');
}
