import { ConfigurationError } from '../../../lib/core/errors.js';

/** The message of the configuration error `attempt` has to end with. */
export function failure(attempt: () => unknown): string {
  let value: unknown;
  try {
    value = attempt();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error(`There should have been a configuration error, but the result is ${JSON.stringify(value)}.`);
}
