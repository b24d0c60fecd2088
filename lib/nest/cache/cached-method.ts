/** A method a caching decorator may stand on. */
export type CachedMethod = (this: never, ...args: never[]) => Promise<unknown>;

/** What follows from a method's `this` and arguments; it may ask for fewer of them. */
export type FromCall<X, S, A, B, C, D, E, F> = (this: S, a: A, b: B, c: C, d: D, e: E, f: F) => X;

/** The same from its result as well. */
export type FromResult<X, R, S, A, B, C, D, E, F> = (this: S, result: R, a: A, b: B, c: C, d: D, e: E, f: F) => X;

/** The first of a method's parameters; `undefined` where there is none. */
export type First<P extends readonly unknown[]> = P extends readonly []
  ? undefined
  : P extends readonly [infer Head, ...unknown[]]
    ? Head
    : P[0];

/** All but the first. */
export type Others<P extends readonly unknown[]> = P extends readonly [unknown?, ...infer Tail] ? Tail : [];

/** Six parameters, filled up with `undefined`. */
export type Six<P extends readonly unknown[]> = [First<P>, ...Five<Others<P>>];

/** Five parameters, filled up with `undefined`. */
export type Five<P extends readonly unknown[]> = [
  First<P>,
  First<Others<P>>,
  First<Others<Others<P>>>,
  First<Others<Others<Others<P>>>>,
  First<Others<Others<Others<Others<P>>>>>,
];

/** The method's type if the decorator's functions can be called with its arguments and result; else a type nothing has. */
export type Fitting<M extends CachedMethod, R, Taken extends readonly unknown[]> =
  Six<Parameters<M>> extends Taken
    ? Awaited<ReturnType<M>> extends R
      ? M
      : M & { readonly 'a function of the decorator asks for another result than the method gives': never }
    : M & { readonly 'a function of the decorator asks for other arguments than the method has': never };

/** Stands on methods that return a promise and that the decorator's functions fit. */
export type CachingDecorator<R, S, Taken extends readonly unknown[]> = <M extends CachedMethod>(
  target: S & object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Fitting<M, R, Taken>> & TypedPropertyDescriptor<M>,
) => void;

/** How a method tells values of several items: in their order, or by item. */
export type Shape = 'array' | 'map';

/** What a method for several items gives, by its shape. */
export type Several<W extends Shape, I, R> = W extends 'map' ? ReadonlyMap<I, R> : readonly R[];

/** The method's type if it takes items and gives values the decorator's functions fit; else a type nothing has. */
export type FittingMany<M extends CachedMethod, R, I, Taken extends readonly unknown[], W extends Shape> =
  First<Parameters<M>> extends readonly (infer Item)[]
    ? [Item, ...Five<Others<Parameters<M>>>] extends [I, ...Taken]
      ? Awaited<ReturnType<M>> extends Several<W, Item, R>
        ? M
        : M & {
            readonly 'the method must give an array, or a Map with returns: map, of what the decorator asks for': never;
          }
      : M & { readonly 'a function of the decorator asks for other items or arguments than the method has': never }
    : M & { readonly 'the first parameter of the method must be an array': never };

/** Stands on methods that take an array first and give values in its order, or by item. */
export type CachingManyDecorator<R, S, I, Taken extends readonly unknown[], W extends Shape> = <M extends CachedMethod>(
  target: S & object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<FittingMany<M, R, I, Taken, W>> & TypedPropertyDescriptor<M>,
) => void;
