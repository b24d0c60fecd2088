/**
 * Is in the texts the suite stores and sends, so that one can search logs, events and errors for it: a value must never
 * get there. What is in the keys is `contract-` with ten hexadecimal digits.
 */
export const VALUE_MARK = 'cl4ssified';

/** The text as a value of the suite. */
export function marked(text: string): string {
  return `${VALUE_MARK}-${text}`;
}
