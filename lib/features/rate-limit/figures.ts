import { endianness } from 'node:os';

/**
 * How the scripts answer: figures one after the other, each a double with its least byte first. That holds every whole
 * number below 2^53, and neither end has to write or read digits.
 */
const BYTES = 8;

/** What the Lua ends with, where `answer` has `size` figures. */
export const PACK = `struct.pack('<' .. string.rep('d', size), unpack(answer, 1, size))`;

/** The same for a twin. */
export function packed(figures: readonly number[]): Buffer {
  const bytes = Buffer.alloc(figures.length * BYTES);
  for (const [index, figure] of figures.entries()) bytes.writeDoubleLE(figure, index * BYTES);
  return bytes;
}

export function unpacked(bytes: Buffer): Float64Array {
  if (endianness() === 'BE') bytes.swap64();
  // A copy, because figures must begin where eight divides the address.
  const { buffer, byteOffset, length } = bytes;
  return new Float64Array(buffer.slice(byteOffset, byteOffset + length));
}
