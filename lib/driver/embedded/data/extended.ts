/**
 * Floats with a 64-bit mantissa, `mantissa * 2^exponent`: what the server's INCRBYFLOAT counts with on x86. Doubles
 * would answer 10.59999999999999964 where it answers 10.6.
 */
export interface Extended {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const BITS = 64;
const DECIMALS = 17;
/** What the server reads of a number; it also keeps the time this takes small. */
const MOST_CHARACTERS = 5119;
const TOO_LARGE = 16_384;
const PARTS = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;

/** Reads a decimal number; `undefined` when it is none or out of range. */
export function parseExtended(text: string): Extended | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const parts = PARTS.exec(text);
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = parts;
  if (whole === '' && fraction === '') return undefined;
  const scale = Number(power) - fraction.length;
  if (Math.abs(scale) > 5000) return undefined;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return scale >= 0 ? rounded(digits * 10n ** BigInt(scale), 1n, 0) : rounded(digits, 10n ** BigInt(-scale), 0);
}

export function addExtended(left: Extended, right: Extended): Extended {
  const exponent = Math.min(left.exponent, right.exponent);
  const sum =
    (left.mantissa << BigInt(left.exponent - exponent)) + (right.mantissa << BigInt(right.exponent - exponent));
  return rounded(sum, 1n, exponent);
}

/** Whether the server would call it infinite. */
export function isInfinite(value: Extended): boolean {
  return bitLength(magnitude(value.mantissa)) + value.exponent > TOO_LARGE;
}

/** With 17 decimals, without trailing zeros. */
export function formatExtended(value: Extended): string {
  const shifted = magnitude(value.mantissa) * 10n ** BigInt(DECIMALS);
  const scaled =
    value.exponent >= 0 ? shifted << BigInt(value.exponent) : divideToEven(shifted, 1n << BigInt(-value.exponent));
  const digits = scaled.toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  const text = digits.slice(0, -DECIMALS) + (fraction === '' ? '' : `.${fraction}`);
  return value.mantissa < 0n && text !== '0' ? `-${text}` : text;
}

/** `numerator / denominator * 2^exponent`, to the nearest that 64 bits can hold. */
function rounded(numerator: bigint, denominator: bigint, exponent: number): Extended {
  if (numerator === 0n) return { mantissa: 0n, exponent: 0 };
  const size = magnitude(numerator);
  const surplus = bitLength(size) - bitLength(denominator) - BITS;
  const shift = fits(size, denominator, surplus) ? surplus : surplus + 1;
  const mantissa =
    shift >= 0 ? divideToEven(size, denominator << BigInt(shift)) : divideToEven(size << BigInt(-shift), denominator);
  return { mantissa: numerator < 0n ? -mantissa : mantissa, exponent: exponent + shift };
}

function fits(size: bigint, denominator: bigint, shift: number): boolean {
  const quotient = shift >= 0 ? size / (denominator << BigInt(shift)) : (size << BigInt(-shift)) / denominator;
  return bitLength(quotient) <= BITS;
}

function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}
