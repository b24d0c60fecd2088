import type { Reply } from '../../../driver/driver.js';
import type { Key, Mode, Shape, Value } from '../command-set.js';
import { toCount, toText, toTexts, unexpected } from '../reply.js';
import { ECHO, PING, PUBLISH, SPUBLISH, TIME } from '../table/server.js';
import { StreamGroupCommands } from './stream-groups.js';

/** Commands to the server itself, and to whoever listens. */
export abstract class ServerCommands<M extends Mode> extends StreamGroupCommands<M> {
  /** Sends a message to all who subscribed to the channel; answers how many got it, on a cluster on that node alone. */
  publish(channel: Key, message: Value): Shape<M, number> {
    return this.request(PUBLISH, [channel, message], toCount);
  }

  /** Like `publish`, on the channel's own shard of a cluster. */
  spublish(channel: Key, message: Value): Shape<M, number> {
    return this.request(SPUBLISH, [channel, message], toCount);
  }

  /** Asks for a sign of life. */
  ping(): Shape<M, string> {
    return this.request(PING, [], toText);
  }

  /** Asks for a text back. */
  echo(message: Value): Shape<M, string> {
    return this.request(ECHO, [message], toText);
  }

  /** The server's clock. */
  time(): Shape<M, Date> {
    return this.request(TIME, [], toDate);
  }
}

function toDate(reply: Reply, command: string): Date {
  const [seconds, microseconds] = toTexts(reply, command).map(Number);
  const date = new Date(Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000));
  return Number.isNaN(date.getTime()) ? unexpected(command, 'seconds and microseconds') : date;
}
