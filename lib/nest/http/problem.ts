import { HttpException } from '@nestjs/common';

/** What a problem says of itself, by RFC 9457; further members may stand beside these. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** A problem+json response, to be thrown: the application's exception filters see it like any other. */
export function problem(
  setHeader: (name: string, value: string) => void,
  status: number,
  details: ProblemDetails,
  cause?: unknown,
): HttpException {
  setHeader('Content-Type', 'application/problem+json');
  return new HttpException({ ...details, status }, status, { cause });
}
