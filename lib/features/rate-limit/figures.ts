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
  const figures = new Float64Array(bytes.length / BYTES);
  for (let index = 0; index < figures.length; index += 1) figures[index] = bytes.readDoubleLE(index * BYTES);
  return figures;
}
