import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

import { type Argument, type Reply, ReplyError, encodeCommand, readFrame } from './resp.js';

/** Where and how to connect. */
export interface ConnectionTarget {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** Given: the connection is encrypted. Default: plain. */
  readonly tls?: ConnectionOptions;
  readonly user?: string;
  readonly password?: string;
  /** Milliseconds to wait for the connection and for each reply. Default 15 000. */
  readonly timeout?: number;
}

/** A raw RESP2 connection: no reconnecting, no queue, no surprises. */
export interface Connection {
  /** Sends one command and waits for its reply; an error reply rejects with {@link ReplyError}. */
  send(...command: readonly Argument[]): Promise<Reply>;
  /** The underlying socket, to look at or to break. */
  readonly socket: Socket;
  close(): void;
}

interface Waiting {
  readonly settle: (reply: Reply) => void;
  readonly fail: (error: Error) => void;
}

/** Connects and, if a password is given, authenticates. */
export async function connectTo(target: ConnectionTarget): Promise<Connection> {
  const { host = '127.0.0.1', port, tls, user = 'default', password, timeout = 15_000 } = target;
  const socket = tls ? connectTls({ host, port, ...tls }) : connect({ host, port });
  socket.setNoDelay(true);
  // Node emits `timeout` only; closing is ours to do.
  socket.setTimeout(timeout, () => socket.destroy(new Error(`${host}:${port} was silent for ${timeout} ms`)));
  await once(socket, tls ? 'secureConnect' : 'connect');
  const connection = speak(socket, `${host}:${port}`);
  if (password !== undefined) {
    try {
      await connection.send('AUTH', user, password);
    } catch (error) {
      connection.close();
      throw error;
    }
  }
  return connection;
}

function speak(socket: Socket, name: string): Connection {
  const waiting: Waiting[] = [];
  let received: Buffer = Buffer.alloc(0);
  let broken: Error | undefined;

  const fail = (error: Error): void => {
    broken ??= error;
    for (const one of waiting.splice(0)) one.fail(broken);
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error(`the connection to ${name} closed`)));
  socket.on('data', (chunk: Buffer) => {
    received = received.length > 0 ? Buffer.concat([received, chunk]) : chunk;
    for (let frame = readFrame(received); frame; frame = readFrame(received)) {
      received = received.subarray(frame.end);
      const one = waiting.shift();
      if (frame.value instanceof ReplyError) one?.fail(frame.value);
      else one?.settle(frame.value);
    }
  });

  return {
    socket,
    send: (...command) =>
      new Promise<Reply>((settle, reject) => {
        if (broken) return reject(broken);
        waiting.push({ settle, fail: reject });
        socket.write(encodeCommand(command));
      }),
    close: () => void socket.destroy(),
  };
}
