/**
 * What all caches hold: about 130 bytes as JSON.
 *
 * @typedef {object} Product
 * @property {string} id
 * @property {string} name
 * @property {number} price
 * @property {string} currency
 * @property {boolean} inStock
 * @property {readonly string[]} tags
 */

/** @param {string} id @returns {Product} */
export function productOf(id) {
  return { id, name: 'Notebook, A5, squared', price: 4.95, currency: 'EUR', inStock: true, tags: ['paper', 'office'] };
}

/** @param {Product} product @param {string} id */
export function isProductOf(product, id) {
  return JSON.stringify(product) === JSON.stringify(productOf(id));
}

/** Products by id, each made before anything is measured, and how often one was asked for. */
export class Catalogue {
  loads = 0;
  /** @type {ReadonlyMap<string, Product>} */
  #products;

  /** @param {readonly string[]} ids */
  constructor(ids) {
    this.#products = new Map(ids.map((id) => [id, productOf(id)]));
  }

  /** @param {string} id @returns {Product} */
  take(id) {
    this.loads += 1;
    return this.#products.get(id);
  }
}
