import { HttpException } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { RateLimitUnavailableError } from '../../core/errors.js';
import { problem } from '../http/problem.js';
import type { ProblemDetails } from '../http/problem.js';
import { isUnavailable } from './bound-rule.js';
import type { BoundRule, Verdict } from './bound-rule.js';
import { legacyFigures, retrySeconds, serviceLimits } from './headers.js';
import type { RateLimitRefusal } from './rate-limit-options.js';
import type { Call } from './subject.js';

/** Where headers are written. */
export interface Exchange {
  readonly adapter: AbstractHttpAdapter;
  readonly response: unknown;
}

/** Of draft-ietf-httpapi-ratelimit-headers-11. */
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded';
const LEGACY = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'];
/** Seconds after which a store that is away may be back. */
const STORE_RETRY = 5;

/**
 * Lets a call pass that all rules admit. They are asked one after the other; when one refuses, what the ones before have
 * counted is given back.
 *
 * Rejects with what is to be thrown.
 */
export async function admit(rules: readonly BoundRule[], call: Call, exchange?: Exchange): Promise<void> {
  const admitted: Verdict[] = [];
  for (const rule of rules) {
    let verdict: Verdict | undefined;
    try {
      verdict = await rule.decide(call);
    } catch (error) {
      await giveBack(admitted);
      throw isUnavailable(error) ? unavailable(rule, error, call, exchange) : error;
    }
    if (verdict === undefined) continue;
    if (!verdict.decision.admitted) {
      await giveBack(admitted);
      throw refused(verdict, call, exchange);
    }
    admitted.push(verdict);
  }
  if (exchange) writeHeaders(admitted, exchange, undefined);
}

async function giveBack(verdicts: readonly Verdict[]): Promise<void> {
  if (verdicts.length > 0) await Promise.all(verdicts.map((verdict) => verdict.rule.refund(verdict)));
}

/** The error of a call that is too much. */
function refused(verdict: Verdict, call: Call, exchange: Exchange | undefined): Error {
  const { rule, decision } = verdict;
  const retryAfter = retrySeconds(decision.retryAfter);
  const error = rule.exceeded(verdict);
  if (exchange) writeHeaders([verdict], exchange, retryAfter);
  const refusal: RateLimitRefusal = { limit: rule.name, context: call.kind, retryAfter, decision, error };
  if (rule.error) return rule.error(refusal);
  return answerable(call) ? tooMany(verdict, refusal, exchange) : error;
}

/** The error of a call that nobody can decide on. */
function unavailable(
  rule: BoundRule,
  error: RateLimitUnavailableError,
  call: Call,
  exchange: Exchange | undefined,
): Error {
  const retryAfter = answerable(call) ? STORE_RETRY : undefined;
  if (exchange) write(exchange, 'Retry-After', String(STORE_RETRY));
  const refusal: RateLimitRefusal = {
    limit: rule.name,
    context: call.kind,
    retryAfter,
    decision: undefined,
    error,
  };
  if (rule.error) return rule.error(refusal);
  if (!answerable(call)) return error;
  return problemFor(
    503,
    { type: 'about:blank', title: 'Service Unavailable', detail: 'The rate limit could not be checked.' },
    error,
    exchange,
  );
}

/** Whether Nest knows what to make of an HttpException here. */
function answerable({ kind }: Call): boolean {
  return kind === 'http' || kind === 'graphql';
}

function tooMany(
  { rule, decision }: Verdict,
  { error, retryAfter }: RateLimitRefusal,
  exchange: Exchange | undefined,
): Error {
  const name = rule.policyName(decision.refusedBy?.name ?? rule.name);
  const detail =
    retryAfter === undefined
      ? `This request costs more than "${name}" ever admits.`
      : `"${name}" is exceeded. Try again in ${retryAfter} s.`;
  return problemFor(
    429,
    {
      type: QUOTA_EXCEEDED,
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      detail,
      'violated-policies': [name],
    },
    error,
    exchange,
  );
}

/** By RFC 9457; in GraphQL an error with the same, which Nest does not log as a mistake of ours. */
function problemFor(
  status: number,
  details: ProblemDetails,
  cause: Error,
  exchange: Exchange | undefined,
): HttpException {
  if (!exchange) return new HttpException({ ...details, status, message: details.detail }, status, { cause });
  return problem((name, value) => write(exchange, name, value), status, details, cause);
}

function writeHeaders(verdicts: readonly Verdict[], exchange: Exchange, retryAfter: number | undefined): void {
  let policies = '';
  let limits = '';
  let least: readonly [number, number, number] | undefined;
  for (const { rule, limits: tiers, decision } of verdicts) {
    if (rule.headers.standard) {
      const form = rule.formOf(tiers);
      policies = joined(policies, form.policy);
      limits = joined(limits, serviceLimits(form, decision, retryAfter));
    }
    if (!rule.headers.legacy) continue;
    const figures = legacyFigures(decision);
    if (figures && (!least || figures[1] < least[1])) least = figures;
  }
  if (policies !== '') write(exchange, 'RateLimit-Policy', policies);
  if (limits !== '') write(exchange, 'RateLimit', limits);
  if (retryAfter !== undefined) write(exchange, 'Retry-After', String(retryAfter));
  // There is room for one tier only.
  if (!least) return;
  for (const [index, name] of LEGACY.entries()) write(exchange, name, String(least[index]));
}

function joined(before: string, more: string): string {
  return before === '' || more === '' ? before + more : `${before}, ${more}`;
}

function write({ adapter, response }: Exchange, name: string, value: string): void {
  adapter.setHeader(response, name, value);
}
