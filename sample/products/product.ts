export interface Product {
  readonly id: string;
  readonly name: string;
  readonly price: number;
}

/** What a client may change. */
export interface ProductPatch {
  readonly name?: string;
  readonly price?: number;
}
