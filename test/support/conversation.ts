import { readFrame } from './resp.js';

const PUSH = '>'.charCodeAt(0);

/**
 * Follows the requests and replies of one connection, just closely enough to know which reply answers which command.
 * Replies to SUBSCRIBE under RESP2 answer nothing in particular: connections that subscribe cannot be followed.
 */
export class Conversation {
  // Bytes of a message that is not complete yet.
  #request: Buffer = Buffer.alloc(0);
  #reply: Buffer = Buffer.alloc(0);
  #asked = 0;
  #answered = 0;
  #swallowed = Number.POSITIVE_INFINITY;
  // Bytes that are not RESP, as in TLS: from then on nothing is understood.
  #isOpaque = false;

  /** Takes bytes of the client; `isDoomed` says of each command whether its reply is to be swallowed. */
  hear(chunk: Buffer, isDoomed: (command: readonly string[]) => boolean): void {
    if (this.#isOpaque) return;
    const bytes = Buffer.concat([this.#request, chunk]);
    let at = 0;
    for (let frame = this.#read(bytes, at); frame; frame = this.#read(bytes, at)) {
      at = frame.end;
      const command = Array.isArray(frame.value) ? frame.value.map(String) : [];
      if (isDoomed(command)) this.#swallowed = Math.min(this.#swallowed, this.#asked);
      this.#asked++;
    }
    this.#request = bytes.subarray(at);
  }

  /** Takes bytes of the server; gives those to pass on, and whether the connection is to be cut after them. */
  answer(chunk: Buffer): { readonly pass: Buffer; readonly cut: boolean } {
    if (this.#isOpaque) return { pass: chunk, cut: false };
    const passed = this.#reply.length;
    const bytes = Buffer.concat([this.#reply, chunk]);
    let at = 0;
    while (at < bytes.length) {
      // The doomed reply begins here; whatever precedes it answers earlier commands and is delivered.
      if (this.#answered === this.#swallowed && bytes[at] !== PUSH) {
        return { pass: bytes.subarray(passed, at), cut: true };
      }
      const frame = this.#read(bytes, at);
      if (!frame) break;
      at = frame.end;
      if (!frame.push) this.#answered++;
    }
    this.#reply = bytes.subarray(at);
    return { pass: chunk, cut: false };
  }

  #read(bytes: Buffer, at: number): ReturnType<typeof readFrame> {
    try {
      return readFrame(bytes, at);
    } catch {
      this.#isOpaque = true;
      return undefined;
    }
  }
}
