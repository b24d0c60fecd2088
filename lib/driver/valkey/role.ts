/** Whether the answer to ROLE is a primary's. A user who may not ask has no answer, and is taken at his word. */
export function isPrimary(answer: unknown): boolean {
  return !Array.isArray(answer) || String(answer[0]) === 'master';
}
