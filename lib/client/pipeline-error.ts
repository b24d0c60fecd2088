import { ValkeyError } from '../core/errors.js';

/** How one command of a pipeline or transaction ended. */
export type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** Some commands of a pipeline or transaction failed; the others were executed and their results are here too. */
export class PipelineError extends ValkeyError {
  /** One entry for each command, in order. It holds values, so printing the error does not show it. */
  declare readonly results: readonly Settled<unknown>[];

  constructor(results: readonly Settled<unknown>[]) {
    const failed = results.filter((result) => !result.ok);
    super(
      'VALKEY_PIPELINE_FAILED',
      `${failed.length} of ${results.length} commands failed, the first with: ${textOf(failed[0])} The results of the others are in results.`,
      { cause: failed[0]?.error },
    );
    Object.defineProperty(this, 'results', { value: results });
  }
}

function textOf(failed: Settled<unknown> | undefined): string {
  const error = failed?.ok === false ? failed.error : undefined;
  return error instanceof Error ? error.message : 'an unknown error.';
}
