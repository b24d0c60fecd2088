/** What a shopper wants. */
export interface CreateOrder {
  readonly productId: string;
  readonly quantity: number;
}

export interface OrderReceipt {
  readonly orderId: string;
}
