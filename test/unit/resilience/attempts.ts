/** Something to be tried, which counts how often it was. */
export interface Attempts {
  (): Promise<string>;
  calls: number;
}

/** Works, after so many failures. */
export function failing(times: number): Attempts {
  return counted((call) => (call <= times ? new Error(`failure ${call}`) : undefined));
}

/** Ends with these errors one after the other, and with the last for ever. */
export function rejecting(...errors: readonly Error[]): Attempts {
  return counted((call) => errors[Math.min(call, errors.length) - 1]);
}

function counted(errorOf: (call: number) => Error | undefined): Attempts {
  const attempts: Attempts = Object.assign(
    async () => {
      attempts.calls += 1;
      const error = errorOf(attempts.calls);
      if (error) throw error;
      return 'worked';
    },
    { calls: 0 },
  );
  return attempts;
}
