/**
 * Empties an array that nobody will look at again. V8 makes the array literals of a busy path old from the beginning
 * (allocation-site pretenuring): they outlive their end until the next full collection, and what they still hold, young
 * objects all, is kept and grows old with them. That has cost half of the client's throughput.
 */
export function letGo(array: readonly unknown[]): void {
  (array as unknown[]).length = 0;
}
