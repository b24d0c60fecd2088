/** A prefix whose characters mean something in patterns. */
export const GLOB_PREFIX = 'app[1]*:';
